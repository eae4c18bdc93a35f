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
        /// There is none, and it is not to be made.
        case missing
        case notAFile
        case symbolicLink
        /// It belongs to another user.
        case foreign(uid: UInt32)
        case failed(JournalFailure)
    }

    private(set) var path: String
    private var descriptor: Int32
    /// The place of the next bytes: the length of what was written whole.
    private(set) var size: Int

    /// Opens the file, for nobody else as long as it is open. If there is none, it makes one,
    /// unless told otherwise.
    init(path: String, makesFile: Bool = true) throws(OpenFailure) {
        self.path = path
        let flags = O_RDWR | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK | (makesFile ? O_CREAT : 0)
        // Between the opening and the locking its owner may have replaced it: then this is no longer the journal.
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

    /// Keeps all other users out, once it is known to be a journal. A file that has another name as well is left as it is: it is
    /// replaced before anything is written.
    func protect() { if !mustBeReplaced { fchmod(descriptor, 0o600) } }

    /// Lets the next owner in.
    deinit { JournalDescriptors.close(descriptor) }

    /// All that was written whole, or its beginning.
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

    /// Adds bytes. When that fails, nothing of them is left, or the failure says that there may be.
    func append(_ bytes: [UInt8]) throws(JournalFailure) {
        if let failure = JournalDescriptors.write(bytes, to: descriptor, at: size, path) { throw failure }
        size += bytes.count
    }

    /// Waits until all that was added is on the disk.
    func sync() throws(JournalFailure) {
        guard fdatasync(descriptor) == 0 else { throw JournalFailure("fdatasync \(path)") }
    }

    /// Takes back what was added after the file had that size. False when it may still be there.
    func cut(to size: Int) -> Bool {
        // A disk that has turned read-only took nothing, and lets nothing be taken back.
        guard ftruncate(descriptor, off_t(size)) == 0 || status.map({ Int($0.st_size) }) == size else {
            return false
        }
        self.size = size
        return true
    }

    /// Puts another file with the bytes that `body` writes in place of this one. Its name is the old file's until all of it is on
    /// the disk.
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

    /// Gives it another name, that no file has. The last owner may have died while it wrote a new
    /// file.
    func move(to other: String) throws(JournalFailure) {
        guard other != path else { return }
        unlink(path + ".new")
        guard access(other, F_OK) != 0, rename(path, other) == 0 else { throw JournalFailure("rename \(path)") }
        path = other
    }

    /// Removes the file, whose records another one has. Returns false if all of it may still be
    /// there.
    func remove() -> Bool {
        guard case .inPlace = place else { return true }
        if unlink(path) == 0 { return true }
        guard cut(to: 0) else { return false }
        do throws(JournalFailure) { try sync() } catch { return false }
        return true
    }

    /// Keeps the file as it is under another name as well, for people to look at: by a link, or where there are none, a copy.
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

    /// Somebody else has written to it or cut it, or it has another name as well. Then a new file takes its place, and nobody
    /// else's file is written to.
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
        // Some file systems cannot, and have no need to.
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
