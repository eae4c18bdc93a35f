import Glibc

/// The files of the system's zoneinfo.
enum ZoneFile {
    /// The zoneinfo directories of distributions, the usual directory first.
    static let directories = ["/usr/share/zoneinfo", "/usr/lib/zoneinfo", "/usr/share/lib/zoneinfo", "/etc/zoneinfo"]

    /// Ten times the size of the largest file of tzdata.
    static let maxBytes = 65_536

    /// The longest name of tzdata has 32 bytes.
    static let maxNameBytes = 64

    /// Returns whether a text can be the name of a zone: letters, digits, `_`, `-` and `+`, in
    /// parts with `/` between them. Without dots, and without `/` at either end, it cannot
    /// lead out of a directory.
    static func isName(_ text: String) -> Bool {
        guard (1...maxNameBytes).contains(text.utf8.count) else { return false }
        var isInPart = false
        for byte in text.utf8 {
            guard isNameByte(byte) || byte == UInt8(ascii: "/") && isInPart else { return false }
            isInPart = byte != UInt8(ascii: "/")
        }
        return isInPart
    }

    private static func isNameByte(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "_"),
            UInt8(ascii: "-"), UInt8(ascii: "+"):
            true
        default: byte.isDigit
        }
    }

    enum Content {
        case bytes([UInt8])
        /// There is no such file, or this process may not read it.
        case missing
        /// The system could not read the file now. The value is the error number.
        case failed(Int32)
    }

    /// Reads a file. Follows links, because distributions keep the second names of a zone as
    /// links. Only the owner of the directory can place a link there. Reads only regular
    /// files, and never waits to open another kind of file.
    static func read(_ path: String) throws(ZoneError) -> Content {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY)
        guard descriptor >= 0 else { return isAbsence(errno) ? .missing : .failed(errno) }
        defer { close(descriptor) }
        var status = stat()
        guard fstat(descriptor, &status) == 0 else { return .failed(errno) }
        guard status.st_mode & S_IFMT == S_IFREG else { return .missing }
        guard status.st_size <= maxBytes else {
            throw ZoneError("\(path): \(Reason.zoneBytes(Int(status.st_size), most: maxBytes))")
        }
        return content(of: descriptor)
    }

    private static func content(of descriptor: Int32) -> Content {
        let bytes = UnsafeMutableRawBufferPointer.allocate(byteCount: maxBytes, alignment: 1)
        defer { bytes.deallocate() }
        var count = 0
        while count < maxBytes {
            let step = Glibc.read(descriptor, bytes.baseAddress.map { $0 + count }, maxBytes - count)
            if step < 0 && errno == EINTR { continue }
            guard step >= 0 else { return .failed(errno) }
            guard step > 0 else { break }
            count += step
        }
        return .bytes(Array(bytes[..<count]))
    }

    private static func isAbsence(_ error: Int32) -> Bool {
        [ENOENT, ENOTDIR, ELOOP, EACCES, EPERM, ENAMETOOLONG, ENXIO].contains(error)
    }
}
