import CSystem
import Glibc

/// An eventfd: a descriptor that is readable from `signal` until `clear`.
///
/// The descriptor is closed with its last reference, not before. Otherwise a late `signal` from
/// another thread could write to a descriptor that has a new owner.
final class EventDescriptor: Sendable {
    let descriptor: Int32

    init() throws(SystemError) {
        descriptor = csystem_eventfd()
        guard descriptor >= 0 else { throw SystemError(message: TransferMessage.noDescriptor) }
    }

    deinit { Glibc.close(descriptor) }

    /// Makes the descriptor readable. Any thread may call it.
    func signal() {
        var one: UInt64 = 1
        _ = Glibc.write(descriptor, &one, MemoryLayout<UInt64>.size)
    }

    func clear() {
        var count: UInt64 = 0
        _ = Glibc.read(descriptor, &count, MemoryLayout<UInt64>.size)
    }
}
