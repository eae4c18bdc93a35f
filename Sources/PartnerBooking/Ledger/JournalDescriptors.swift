import CSystem
import Glibc

/// The descriptors of all journals of this process. A file's lock lasts until the last copy of
/// its descriptor is closed. So the child of a fork closes its copies. Otherwise it could keep
/// a journal locked that its parent has released.
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

    /// Opens a file and notes its descriptor. No fork can happen in between.
    static func open(_ path: String, _ flags: Int32) -> Int32 {
        open.withLock { open in
            let descriptor = Glibc.open(path, flags, 0o600)
            if descriptor >= 0 { open.insert(descriptor) }
            return descriptor
        }
    }

    /// Closes a descriptor once. Has no effect in a forked child, which has closed it already.
    static func close(_ descriptor: Int32) {
        open.withLock { open in
            if open.remove(descriptor) != nil { _ = Glibc.close(descriptor) }
        }
    }

    /// Writes all bytes, or returns the failure. Beyond the process's file size limit the
    /// write fails, without a signal that ends the process.
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
