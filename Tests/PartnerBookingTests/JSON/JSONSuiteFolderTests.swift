import Glibc
import Testing

@testable import PartnerBooking

/// A folder of texts in the layout of JSONTestSuite's test_parsing, named by PBK_JSON_SUITE: y_*.json must be accepted,
/// n_*.json refused. (Old copies of it hold UTF-16 as y_ files, from the days before RFC 8259; they are passed over.)
@Suite(.enabled(if: SuiteFolder.path != nil, "PBK_JSON_SUITE names no folder"))
struct JSONSuiteFolderTests {
    @Test func holdsBothKinds() {
        #expect(!SuiteFolder.names(prefix: "y_").isEmpty)
        #expect(!SuiteFolder.names(prefix: "n_").isEmpty)
    }

    @Test(arguments: SuiteFolder.names(prefix: "y_"))
    func accepts(_ name: String) throws {
        let bytes = try #require(SuiteFolder.contents(name))
        #expect(throws: Never.self) { try JSON.validate(bytes, profile: .reply) }
    }

    @Test(arguments: SuiteFolder.names(prefix: "n_"))
    func refuses(_ name: String) throws {
        let bytes = try #require(SuiteFolder.contents(name))
        #expect(throws: JSONSyntaxError.self) { try JSON.validate(bytes, profile: .reply) }
        #expect(throws: JSONSyntaxError.self) { try JSON.validate(bytes, profile: .request) }
    }
}

private enum SuiteFolder {
    static var path: String? { getenv("PBK_JSON_SUITE").map { String(cString: $0) } }

    static func names(prefix: String) -> [String] {
        guard let path, let folder = opendir(path) else { return [] }
        defer { closedir(folder) }
        var names: [String] = []
        while let entry = readdir(folder) {
            let name = withUnsafeBytes(of: &entry.pointee.d_name) {
                String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self)
            }
            if name.hasPrefix(prefix), name.hasSuffix(".json"), !name.contains("utf16") { names.append(name) }
        }
        return names.sorted()
    }

    static func contents(_ name: String) -> [UInt8]? {
        guard let path, let file = fopen("\(path)/\(name)", "rb") else { return nil }
        defer { fclose(file) }
        var bytes: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 65536)
        while case let count = fread(&buffer, 1, buffer.count, file), count > 0 { bytes += buffer[..<count] }
        return ferror(file) == 0 ? bytes : nil
    }
}
