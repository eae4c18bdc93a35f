import CSystem
import Glibc

/// The descriptors of all journals of this process. The lock of a file lasts until its last descriptor is closed: the child of
/// a fork closes its copies, so that it cannot keep a journal locked that its parent has let go of.
enum JournalDescriptors {
    private static let open: Monitor<Set<Int32>> = {
        pthread_atfork(
            { JournalDescriptors.open.lockForFork() },
            { JournalDescriptors.open.unlockAfterFork(inChild: false) },
            {
                JournalDescriptors.open.unlockAfterFork(inChild: true) { open in
                    for descriptor in open { Glibc.close(descriptor) }
                    open = []
                }
            })
        return Monitor([])
    }()

    /// No fork comes between the opening and the note of it.
    static func open(_ path: String, _ flags: Int32) -> Int32 {
        open.withLock { open in
            let descriptor = Glibc.open(path, flags, 0o600)
            if descriptor >= 0 { open.insert(descriptor) }
            return descriptor
        }
    }

    /// Once; of no effect in a child that has closed it already.
    static func close(_ descriptor: Int32) {
        open.withLock { open in
            if open.remove(descriptor) != nil { _ = Glibc.close(descriptor) }
        }
    }

    /// Writes all bytes, or returns why not. A limit of the process for the size of files is an error and ends no process.
    static func write(
        _ bytes: UnsafeRawBufferPointer, to descriptor: Int32, at start: Int, _ path: String
    ) -> JournalFailure? {
        var count = 0
        while count < bytes.count, let base = bytes.baseAddress {
            let written = csystem_pwrite(descriptor, base + count, bytes.count - count, off_t(start + count))
            if written < 0 && errno == EINTR { continue }
            guard written > 0 else { return JournalFailure("write \(path)", written < 0 ? errno : ENOSPC) }
            count += written
        }
        return nil
    }

    static func write(_ bytes: [UInt8], to descriptor: Int32, at start: Int, _ path: String) -> JournalFailure? {
        bytes.withUnsafeBytes { write($0, to: descriptor, at: start, path) }
    }
}
