import Glibc

/// A directory of journals on the disk. Its lock lets clients take and remove journals in
/// turns. So there are never more journals than processes at once. No booking depends on this
/// lock, because each journal has its own.
final class JournalFolder {
    enum Failure: Error {
        case notADirectory
        case symbolicLink
        /// The directory belongs to another user.
        case foreign(uid: UInt32)
        /// The directory and its parent are missing.
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
        // Checks the open directory, because another one may have its path by now.
        guard fstat(descriptor, &status) == 0 else { throw .failed(JournalFailure("open \(path)")) }
        guard status.st_uid == geteuid() else { throw .foreign(uid: status.st_uid) }
    }

    /// Releases the lock for the next client. Unlocks explicitly, because a forked child may
    /// have a copy of the descriptor for a moment.
    deinit {
        flock(descriptor, LOCK_UN)
        JournalDescriptors.close(descriptor)
    }

    /// Waits for the lock. Returns false if another client has it all that time.
    ///
    /// - Throws: When the file system cannot lock directories.
    func lock(until moment: MonotonicTime = .now()) throws(JournalFailure) -> Bool {
        while flock(descriptor, LOCK_EX | LOCK_NB) != 0 {
            guard errno == EWOULDBLOCK || errno == EINTR else { throw JournalFailure("lock \(path)") }
            guard MonotonicTime.now() < moment else { return false }
            usleep(UInt32.random(in: 1_000...4_000))
        }
        return true
    }

    /// Returns the names of all items in the directory.
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

    /// Waits until renames and removals are on the disk.
    func sync() throws(JournalFailure) {
        // Some file systems cannot sync a directory, and need not.
        guard fsync(descriptor) == 0 || errno == EINVAL else { throw JournalFailure("fsync \(path)") }
    }
}
