import Glibc

/// Why the journal's file could not be used: what was tried, and what the system said.
struct JournalFailure: Error {
    let message: String

    init(_ what: String, _ code: Int32 = errno) {
        message = "\(what): \(String(cString: strerror(code)))"
    }

    init(message: String) { self.message = message }
}

/// The file of a journal, locked for its one owner. Bytes are added at its end, and all of it is replaced at once; a crash
/// at any moment leaves the old or the new file, whole.
///
/// Used by one thread at a time. The descriptor is closed on exec, and in the child of a fork by `JournalDescriptors`.
final class JournalFile {
    enum Place {
        case inPlace
        /// Nothing stands under the path.
        case gone
        /// Something else does.
        case replaced
    }

    enum OpenFailure: Error {
        /// Another client has it, in this process or another.
        case locked
        case notAFile
        case failed(JournalFailure)
    }

    let path: String
    private var descriptor: Int32
    /// Where the next bytes go: the length of what was written whole.
    private(set) var size: Int

    /// Opens or makes the file, for nobody else as long as it is open.
    init(path: String) throws(OpenFailure) {
        self.path = path
        // Between the opening and the locking its owner may have replaced it: then this is no longer the journal.
        for _ in 0..<100 {
            let descriptor = JournalDescriptors.open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK)
            guard descriptor >= 0 else { throw .failed(JournalFailure("open \(path)")) }
            var status = stat()
            guard fstat(descriptor, &status) == 0, status.st_mode & S_IFMT == S_IFREG else {
                JournalDescriptors.close(descriptor)
                throw .notAFile
            }
            guard flock(descriptor, LOCK_EX | LOCK_NB) == 0 else {
                let code = errno
                JournalDescriptors.close(descriptor)
                if code == EWOULDBLOCK { throw .locked }
                throw .failed(JournalFailure("lock \(path)", code))
            }
            if Self.identity(of: path) == Self.identity(status) {
                fchmod(descriptor, 0o600)
                self.descriptor = descriptor
                size = Int(status.st_size)
                return
            }
            JournalDescriptors.close(descriptor)
        }
        throw .locked
    }

    /// Lets the next owner in.
    deinit { JournalDescriptors.close(descriptor) }

    /// All that was written whole.
    func read() throws(JournalFailure) -> [UInt8] {
        var bytes = [UInt8](repeating: 0, count: size)
        var count = 0
        while count < size {
            let read = bytes.withUnsafeMutableBytes {
                pread(descriptor, $0.baseAddress?.advanced(by: count), size - count, count)
            }
            if read < 0 && errno == EINTR { continue }
            guard read >= 0 else { throw JournalFailure("read \(path)") }
            if read == 0 { break }
            count += read
        }
        return Array(bytes.prefix(count))
    }

    var place: Place {
        switch (Self.identity(of: path), Self.identity(of: descriptor)) {
        case (nil, _): errno == ENOENT ? .gone : .replaced
        case (let there?, let own?) where there == own: .inPlace
        default: .replaced
        }
    }

    /// Adds bytes. When that fails, nothing of them is left, or the failure says that there may be.
    func append(_ bytes: [UInt8]) throws(JournalFailure) {
        try Self.write(bytes, to: descriptor, at: size, path)
        size += bytes.count
    }

    /// Waits until all that was added is on the disk.
    func sync() throws(JournalFailure) {
        guard fdatasync(descriptor) == 0 else { throw JournalFailure("fdatasync \(path)") }
    }

    /// Takes back what was added after the file had that size. False when it may still be there.
    func cut(to size: Int) -> Bool {
        // A disk that has turned read-only took nothing, and lets nothing be taken back.
        guard ftruncate(descriptor, off_t(size)) == 0 || lengthOnDisk == size else { return false }
        self.size = size
        return true
    }

    /// Puts another file with these bytes in place of this one. Its name is the old file's until all of it is on the disk.
    func replace(with bytes: [UInt8]) throws(JournalFailure) {
        let newPath = path + ".new"
        let new = JournalDescriptors.open(newPath, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW)
        guard new >= 0 else { throw JournalFailure("open \(newPath)") }
        do throws(JournalFailure) {
            guard flock(new, LOCK_EX | LOCK_NB) == 0 else { throw JournalFailure("lock \(newPath)") }
            try Self.write(bytes, to: new, at: 0, newPath)
            guard fsync(new) == 0 else { throw JournalFailure("fsync \(newPath)") }
            guard rename(newPath, path) == 0 else { throw JournalFailure("rename \(newPath)") }
        } catch {
            unlink(newPath)
            JournalDescriptors.close(new)
            throw error
        }
        JournalDescriptors.close(descriptor)
        descriptor = new
        size = bytes.count
        try syncDirectory()
    }

    /// Keeps the file as it is under another name as well, for people to look at: by a link, or where there are none, a copy.
    func keep(as other: String) throws(JournalFailure) {
        unlink(other)
        if Glibc.link(path, other) == 0 { return }
        let bytes = try read()
        let copy = Glibc.open(other, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o600)
        guard copy >= 0 else { throw JournalFailure("open \(other)") }
        defer { Glibc.close(copy) }
        try Self.write(bytes, to: copy, at: 0, other)
        guard fsync(copy) == 0 else { throw JournalFailure("fsync \(other)") }
    }

    /// Somebody else has written to it, or cut it.
    var wasChanged: Bool { lengthOnDisk != size }

    private var lengthOnDisk: Int? {
        var status = stat()
        return fstat(descriptor, &status) == 0 ? Int(status.st_size) : nil
    }

    private func syncDirectory() throws(JournalFailure) {
        let end = path.lastIndex(of: "/") ?? path.startIndex
        let directory = end == path.startIndex ? "/" : String(path[..<end])
        let descriptor = Glibc.open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard descriptor >= 0 else { throw JournalFailure("open \(directory)") }
        defer { Glibc.close(descriptor) }
        // Some file systems cannot, and have no need to.
        guard fsync(descriptor) == 0 || errno == EINVAL else { throw JournalFailure("fsync \(directory)") }
    }

    private static func write(_ bytes: [UInt8], to descriptor: Int32, at start: Int, _ path: String) throws(JournalFailure) {
        var count = 0
        while count < bytes.count {
            let written = bytes.withUnsafeBytes {
                pwrite(descriptor, $0.baseAddress?.advanced(by: count), bytes.count - count, start + count)
            }
            if written < 0 && errno == EINTR { continue }
            guard written > 0 else { throw JournalFailure("write \(path)", written < 0 ? errno : ENOSPC) }
            count += written
        }
    }

    private struct Identity: Equatable {
        let device: dev_t
        let inode: ino_t
    }

    private static func identity(_ status: stat) -> Identity { Identity(device: status.st_dev, inode: status.st_ino) }

    private static func identity(of path: String) -> Identity? {
        var status = stat()
        return lstat(path, &status) == 0 ? identity(status) : nil
    }

    private static func identity(of descriptor: Int32) -> Identity? {
        var status = stat()
        return fstat(descriptor, &status) == 0 ? identity(status) : nil
    }
}

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
}
