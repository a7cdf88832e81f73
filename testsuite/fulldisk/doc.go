// Package fulldisk gives a test a disk without room: the kernel refuses what
// would make a file of the process longer than it may be, as it refuses writes
// to a full disk. Only where the kernel has such a limit, so on Linux.
//
// Nothing but tests may import it, and nothing of Skladom may enter.
package fulldisk
