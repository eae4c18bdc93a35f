import Glibc

/// The file that replaces a journal. No other process can have made it: an older file with its
/// name is removed, not written to.
final class NewJournalFile {
    let path: String
    let descriptor: Int32
    private(set) var size = 0
    private var buffer: [UInt8] = []
    private var failure: JournalFailure?

    private static let bufferCount = 262_144

    init(path: String) throws(JournalFailure) {
        self.path = path
        guard unlink(path) == 0 || errno == ENOENT else { throw JournalFailure("remove \(path)") }
        descriptor = JournalDescriptors.open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW)
        guard descriptor >= 0 else { throw JournalFailure("make \(path)") }
        guard flock(descriptor, LOCK_EX | LOCK_NB) == 0 else {
            let failure = JournalFailure("lock \(path)")
            remove()
            throw failure
        }
        fchmod(descriptor, 0o600)
        buffer.reserveCapacity(Self.bufferCount)
    }

    /// Adds bytes, which may stay in memory until `finish`. That throws if they cannot be written.
    func write(_ bytes: UnsafeRawBufferPointer) {
        if buffer.count + bytes.count > Self.bufferCount { flush() }
        buffer.append(contentsOf: bytes)
    }

    /// Waits until the whole file is on the disk.
    func finish() throws(JournalFailure) {
        flush()
        if let failure { throw failure }
        guard fsync(descriptor) == 0 else { throw JournalFailure("fsync \(path)") }
    }

    func remove() {
        unlink(path)
        JournalDescriptors.close(descriptor)
    }

    private func flush() {
        failure = failure ?? JournalDescriptors.write(buffer, to: descriptor, at: size, path)
        size += buffer.count
        buffer.removeAll(keepingCapacity: true)
    }
}
