import Glibc
import Testing

/// The path of a file in a directory of its own, which goes with this.
final class TemporaryPath {
    let path: String
    private let directory: String

    init() throws {
        var template = Array("/tmp/pbk-test-XXXXXX".utf8CString)
        directory = try #require(mkdtemp(&template).map { String(cString: $0) })
        path = directory + "/file"
    }

    deinit {
        unlink(path)
        rmdir(directory)
    }

    func read() throws -> [UInt8] {
        let file = try #require(fopen(path, "re"))
        defer { fclose(file) }
        var bytes = [UInt8](repeating: 0, count: 1 << 16)
        let count = fread(&bytes, 1, bytes.count, file)
        return Array(bytes.prefix(count))
    }

    func write(_ bytes: [UInt8]) throws {
        let file = try #require(fopen(path, "we"))
        #expect(fwrite(bytes, 1, bytes.count, file) == bytes.count && fclose(file) == 0)
    }
}
