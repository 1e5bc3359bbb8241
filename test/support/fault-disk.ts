// The simulated disk under its former name, for tests that are still to say SimDisk.

export { type Operation, SimDisk as FaultDisk } from './sim-disk.js';
