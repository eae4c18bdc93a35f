import Glibc
import Testing

/// A folder with zone files, for one test.
final class ZoneFolder: Sendable {
    let path: String

    init() throws {
        var template = Array("/tmp/zones-XXXXXX".utf8CString)
        let made = try #require(mkdtemp(&template))
        path = String(cString: made)
    }

    func write(_ name: String, _ bytes: [UInt8]) {
        let descriptor = open("\(path)/\(name)", O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o600)
        #expect(descriptor >= 0 && Glibc.write(descriptor, bytes, bytes.count) == bytes.count)
        close(descriptor)
    }

    func remove(_ name: String) { unlink("\(path)/\(name)") }

    deinit {
        guard let folder = opendir(path) else { return }
        while let entry = readdir(folder) {
            let name = withUnsafeBytes(of: entry.pointee.d_name) { String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self) }
            if name != "." && name != ".." { _ = Glibc.remove("\(path)/\(name)") }
        }
        closedir(folder)
        rmdir(path)
    }
}
