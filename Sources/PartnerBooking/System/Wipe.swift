import Glibc

/// Overwrites what was secret, in a way that no compiler leaves out.
package func wipe(_ memory: UnsafeMutableRawBufferPointer) {
    if let start = memory.baseAddress { explicit_bzero(start, memory.count) }
}
