import Glibc

/// A directory of journals on the disk. Its lock says whose turn it is to take and to remove
/// journals in it: so there are never more of them than processes at once. No booking depends on
/// it: each journal has a lock of its own.
final class JournalFolder {
    enum Failure: Error {
        case notADirectory
        case symbolicLink
        /// It belongs to another user.
        case foreign(uid: UInt32)
        /// It is missing, and so is the directory in which to make it.
        case noParent
        case failed(JournalFailure)
    }

    private let path: String
    private let descriptor: Int32

    /// Opens the directory, or makes it.
    init(path: String) throws(Failure) {
        self.path = path
        if mkdir(path, 0o700) != 0 && errno != EEXIST {
            throw errno == ENOENT ? .noParent : .failed(JournalFailure("make \(path)"))
        }
        var status = stat()
        guard lstat(path, &status) == 0 else { throw .failed(JournalFailure("open \(path)")) }
        guard status.st_mode & S_IFMT != S_IFLNK else { throw .symbolicLink }
        guard status.st_mode & S_IFMT == S_IFDIR else { throw .notADirectory }
        let descriptor = JournalDescriptors.open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW)
        guard descriptor >= 0 else { throw .failed(JournalFailure("open \(path)")) }
        self.descriptor = descriptor
        // Of the one that is open: another may have its name by now.
        guard fstat(descriptor, &status) == 0 else { throw .failed(JournalFailure("open \(path)")) }
        guard status.st_uid == geteuid() else { throw .foreign(uid: status.st_uid) }
    }

    /// Lets the next one in. In the child of a fork a copy of the descriptor may be left for a
    /// moment.
    deinit {
        flock(descriptor, LOCK_UN)
        JournalDescriptors.close(descriptor)
    }

    /// Returns false when somebody else has it all that time.
    ///
    /// - Throws: When the file system has no locks of directories.
    func lock(until moment: MonotonicTime = .now()) throws(JournalFailure) -> Bool {
        while flock(descriptor, LOCK_EX | LOCK_NB) != 0 {
            guard errno == EWOULDBLOCK || errno == EINTR else { throw JournalFailure("lock \(path)") }
            guard MonotonicTime.now() < moment else { return false }
            usleep(UInt32.random(in: 1_000...4_000))
        }
        return true
    }

    /// The names of what is in it.
    func names() throws(JournalFailure) -> [String] {
        guard let directory = opendir(path) else { throw JournalFailure("read \(path)") }
        defer { closedir(directory) }
        var names: [String] = []
        while let entry = readdir(directory) {
            let name = withUnsafePointer(to: &entry.pointee.d_name) { start in
                start.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
            }
            names.append(name)
        }
        return names
    }

    /// Waits until files that were removed are gone for good.
    func sync() throws(JournalFailure) {
        // Some file systems cannot, and have no need to.
        guard fsync(descriptor) == 0 || errno == EINVAL else { throw JournalFailure("fsync \(path)") }
    }
}
