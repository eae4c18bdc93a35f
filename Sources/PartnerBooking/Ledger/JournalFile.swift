import Glibc

/// The reason why the journal's file could not be used: the operation, and the system's message.
struct JournalFailure: Error {
    let message: String

    init(_ what: String, _ code: Int32 = errno) {
        message = "\(what): \(String(cString: strerror(code)))"
    }

    init(message: String) { self.message = message }
}

/// The file of a journal, locked for its owner. Bytes are appended, or the whole file is replaced
/// at once. A crash at any moment leaves the complete old file or the complete new one.
///
/// Used by one thread at a time. The descriptor is closed on exec. `JournalDescriptors` closes
/// it in the child of a fork.
final class JournalFile {
    enum Place {
        case inPlace
        /// No file is at the path.
        case gone
        /// Something else is at the path.
        case replaced
    }

    enum OpenFailure: Error {
        /// Another client has it, in this process or another process.
        case locked
        /// There is no file, and none may be made.
        case missing
        case notAFile
        case symbolicLink
        /// The file belongs to another user.
        case foreign(uid: UInt32)
        case failed(JournalFailure)
    }

    private(set) var path: String
    private var descriptor: Int32
    /// The offset of the next bytes: the length of all complete writes.
    private(set) var size: Int

    /// Opens the file, and keeps it locked while it is open. Makes a missing file, except when
    /// `makesFile` is false.
    init(path: String, makesFile: Bool = true) throws(OpenFailure) {
        self.path = path
        let flags = O_RDWR | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK | (makesFile ? O_CREAT : 0)
        // The owner may have replaced the file between opening and locking. Then this is no
        // longer the journal.
        for _ in 0..<100 {
            let descriptor = JournalDescriptors.open(path, flags)
            guard descriptor >= 0 else {
                if errno == ENOENT && !makesFile { throw .missing }
                throw errno == ELOOP ? .symbolicLink : .failed(JournalFailure("open \(path)"))
            }
            var status = stat()
            guard fstat(descriptor, &status) == 0, status.st_mode & S_IFMT == S_IFREG else {
                JournalDescriptors.close(descriptor)
                throw .notAFile
            }
            guard status.st_uid == geteuid() else {
                JournalDescriptors.close(descriptor)
                throw .foreign(uid: status.st_uid)
            }
            guard flock(descriptor, LOCK_EX | LOCK_NB) == 0 else {
                let code = errno
                JournalDescriptors.close(descriptor)
                if code == EWOULDBLOCK { throw .locked }
                throw .failed(JournalFailure("lock \(path)", code))
            }
            if Self.identity(of: path) == Self.identity(status) {
                self.descriptor = descriptor
                size = Int(status.st_size)
                return
            }
            JournalDescriptors.close(descriptor)
        }
        throw .locked
    }

    /// Denies access to other users, once the file is known to be a journal. Leaves a file
    /// with a second name unchanged: it is replaced before anything is written.
    func protect() { if !mustBeReplaced { fchmod(descriptor, 0o600) } }

    /// Releases the lock for the next owner.
    deinit { JournalDescriptors.close(descriptor) }

    /// Returns the bytes of all complete writes, at most `limit`.
    func read(atMost limit: Int = .max) throws(JournalFailure) -> [UInt8] {
        var code: Int32 = 0
        let size = min(size, limit)
        let bytes = [UInt8](unsafeUninitializedCapacity: size) { buffer, count in
            while count < size, let start = buffer.baseAddress {
                let read = pread(descriptor, start + count, size - count, off_t(count))
                if read < 0 && errno == EINTR { continue }
                if read < 0 { code = errno }
                guard read > 0 else { break }
                count += read
            }
        }
        guard code == 0 else { throw JournalFailure("read \(path)", code) }
        return bytes
    }

    var place: Place {
        switch (Self.identity(of: path), status.map(Self.identity)) {
        case (nil, _): errno == ENOENT ? .gone : .replaced
        case (let there?, let own?) where there == own: .inPlace
        default: .replaced
        }
    }

    /// Appends bytes. After a failure the file may contain some of them, until `cut` removes them.
    func append(_ bytes: [UInt8]) throws(JournalFailure) {
        if let failure = JournalDescriptors.write(bytes, to: descriptor, at: size, path) { throw failure }
        size += bytes.count
    }

    /// Waits until all appended bytes are on the disk.
    func sync() throws(JournalFailure) {
        guard fdatasync(descriptor) == 0 else { throw JournalFailure("fdatasync \(path)") }
    }

    /// Removes all bytes after `size`. Returns false if they may still be there.
    func cut(to size: Int) -> Bool {
        // A disk that has become read-only may refuse the cut, but then it has stored nothing.
        guard ftruncate(descriptor, off_t(size)) == 0 || status.map({ Int($0.st_size) }) == size else {
            return false
        }
        self.size = size
        return true
    }

    /// Replaces this file by a new one with the bytes that `body` writes. The path names the
    /// old file until the new one is completely on the disk.
    func replace(_ body: (_ write: (UnsafeRawBufferPointer) -> Void) -> Void) throws(JournalFailure) {
        let new = try NewJournalFile(path: path + ".new")
        do throws(JournalFailure) {
            body(new.write)
            try new.finish()
            guard rename(new.path, path) == 0 else { throw JournalFailure("rename \(new.path)") }
        } catch {
            new.remove()
            throw error
        }
        JournalDescriptors.close(descriptor)
        descriptor = new.descriptor
        size = new.size
        try syncDirectory()
    }

    /// Renames the file to a name that no file has. Also removes the new file that the last
    /// owner may have left when it died during a rewrite.
    func move(to other: String) throws(JournalFailure) {
        guard other != path else { return }
        unlink(path + ".new")
        guard access(other, F_OK) != 0, rename(path, other) == 0 else { throw JournalFailure("rename \(path)") }
        path = other
    }

    /// Removes the file, whose records are in another journal. Returns false if all of it may
    /// still be there.
    func remove() -> Bool {
        guard case .inPlace = place else { return true }
        if unlink(path) == 0 { return true }
        guard cut(to: 0) else { return false }
        do throws(JournalFailure) { try sync() } catch { return false }
        return true
    }

    /// Keeps the unchanged file under a second name for people to read. Uses a hard link, or a
    /// copy if links are not possible.
    func keep(as other: String) throws(JournalFailure) {
        unlink(other)
        if Glibc.link(path, other) == 0 { return }
        let bytes = try read()
        let copy = Glibc.open(other, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o600)
        guard copy >= 0 else { throw JournalFailure("open \(other)") }
        defer { Glibc.close(copy) }
        if let failure = JournalDescriptors.write(bytes, to: copy, at: 0, other) { throw failure }
        guard fsync(copy) == 0 else { throw JournalFailure("fsync \(other)") }
    }

    /// True when another process has written to the file or cut it, or when it has a second
    /// name. Then a new file takes its place, so that no file of others is changed.
    var mustBeReplaced: Bool { status.map { Int($0.st_size) != size || $0.st_nlink > 1 } ?? true }

    private var status: stat? {
        var status = stat()
        return fstat(descriptor, &status) == 0 ? status : nil
    }

    private func syncDirectory() throws(JournalFailure) {
        let end = path.lastIndex(of: "/") ?? path.startIndex
        let directory = end == path.startIndex ? "/" : String(path[..<end])
        let descriptor = Glibc.open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard descriptor >= 0 else { throw JournalFailure("open \(directory)") }
        defer { Glibc.close(descriptor) }
        // Some file systems cannot sync a directory, and need not.
        guard fsync(descriptor) == 0 || errno == EINVAL else { throw JournalFailure("fsync \(directory)") }
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

}
