// What every façade throws where the core's memory limit refuses an operation.

export class OutOfMemory extends Error {
  override readonly name = 'OutOfMemory';
  constructor(message = "the shard's memory limit refuses the memory this needs") {
    super(message);
  }
}
