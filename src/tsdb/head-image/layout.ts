// Numbers and names of a head's image: docs/formats/head-image.md. Integers are little-endian, as in the core's memory.
//
//   header, 20 bytes   │ magic u32 │ version u32 │ first segment f64 │ crc u32 │
//   page               │ bytes u32 │ crc u32 │ records …                         crc: CRC-32C of the records
//   end, 8 bytes       │ 0         │ pages u32 │

export const IMAGE_MAGIC = 0x474d4958;
export const IMAGE_VERSION = 1;
export const IMAGE_HEADER_BYTES = 20;
export const IMAGE_PAGE_HEADER_BYTES = 8;
/** A page of records is not larger. */
export const IMAGE_PAGE_BYTES_MAX = 4 * 1024 * 1024;

/** In a folder of ours. */
export function headImagePath(ownFolder: string): string {
  return `${ownFolder}/head.image`;
}
