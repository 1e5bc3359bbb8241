// The open chunk of a series: what its encoder must remember between samples.
//
// It is embedded in a record that another kernel owns, so that the common append
// (same step, same value) touches nothing but that record:
//
//   0        8        16       24     28      32        33         34         35      36
//   ┌────────┬────────┬────────┬──────┬───────┬─────────┬──────────┬──────────┬───────┐
//   │ time   │ value  │ tail   │ delta│ cursor│ leading │ trailing │ tailBits │ count │
//   │ i64    │ u64    │ u64    │ u32  │ u32   │ u8      │ u8       │ u8       │ u8    │
//   └────────┴────────┴────────┴──────┴───────┴─────────┴──────────┴──────────┴───────┘
//
// The bit stream is in 32-byte blocks; its newest, still incomplete 64 bits are `tail`,
// filled from the high bit down. `cursor` is where the next complete bits go. A block
// links back to the one before it:
//
//   0                                      28     32
//   ┌──────────────────────────────────────┬──────┐
//   │ 28 bytes of the stream               │ prev │   blocks are aligned to their size, so
//   └──────────────────────────────────────┴──────┘   block = cursor & ~31, fill = cursor & 31
//
// Invariants
//   - all zero is an empty chunk;
//   - tailBits < 64, and the bits of `tail` below them are 0;
//   - fill is a multiple of 4, from 0 to 28; cursor is 0 while no block exists;
//   - time and value outlive seal() and release(): they are the series' newest sample.
//
// The bytes: docs/formats/chunk.md.

@unmanaged
export class ChunkState {
  /** Time of the newest sample, in ms. */
  time: i64;
  /** Bits of the newest value. */
  value: u64;
  tail: u64;
  /** Between the last two samples, in ms. A larger step than 49.7 days cuts the chunk. */
  delta: u32;
  cursor: u32;
  /** The window of significant bits that value codes reuse; trailing is WINDOW_NONE before the first. */
  leading: u8;
  trailing: u8;
  tailBits: u8;
  count: u8;
}

/** Bytes of a block of the stream; blocks are aligned to it. */
export const BLOCK_BYTES: usize = 32;
/** Bytes of the stream in a block, and so the offset of its link. */
export const PAYLOAD_BYTES: usize = BLOCK_BYTES - sizeof<u32>();

/** Bytes that a record must set aside, aligned to 8. */
export const STATE_BYTES: usize = 36;

/** `trailing` while no value has changed yet. */
export const WINDOW_NONE: u8 = 0xff;
