import Glibc
import Testing

@testable import PartnerBooking

/// `tls.ca_file` is looked at when the client opens.
@Suite struct ConfigurationFileTests {
    /// A file that goes away with the test.
    private final class TemporaryFile {
        let path: String

        init(_ text: String) throws {
            var template = Array("/tmp/pbk-ca-XXXXXX".utf8CString)
            let descriptor = mkstemp(&template)
            try #require(descriptor >= 0)
            path = String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
            let bytes = Array(text.utf8)
            try #require(write(descriptor, bytes, bytes.count) == bytes.count)
            Glibc.close(descriptor)
        }

        deinit { unlink(path) }
    }

    private func text(_ path: String) -> RequestText {
        ConfigurationSample.partner.setting("tls.ca_file", "\"\(path)\"")
    }

    private func expectRefusal(_ path: String) {
        let error = ConfigurationSample.refusal(text(path).bytes)
        #expect(error?.code == .invalidConfig, "\(path)")
        #expect(error?.field == "tls.ca_file", "\(path)")
    }

    @Test(arguments: [
        "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n",
        "# a comment\n\n-----BEGIN TRUSTED CERTIFICATE-----\nMIIB\n-----END TRUSTED CERTIFICATE-----\n",
        "subject=/CN=x\r\n-----BEGIN CERTIFICATE-----\r\nMIIB\r\n-----END CERTIFICATE-----",
    ])
    func aFileWithACertificateIsAccepted(_ content: String) throws {
        let file = try TemporaryFile(content)
        #expect(try ConfigurationSample.read(text(file.path)).connection.certificates == .file(file.path))
    }

    @Test(arguments: [
        "", "\n", "hello\n", "-----BEGIN PRIVATE KEY-----\nMIIB\n-----END PRIVATE KEY-----\n", "-----END CERTIFICATE-----\n",
        "see -----BEGIN CERTIFICATE-----\n", "-----BEGIN\nCERTIFICATE-----\n", "\u{0}\u{0}\u{0}",
    ])
    func aFileWithoutOneIsRefused(_ content: String) throws {
        let file = try TemporaryFile(content)
        expectRefusal(file.path)
    }

    @Test(arguments: [
        "/nonexistent/ca.pem", "/", "/tmp", "/dev/null", "", "ca.pem", "/tmp/\\u0000", "file:///etc/ssl/certs",
    ])
    func whatIsNoSuchFileIsRefused(_ path: String) { expectRefusal(path) }

    @Test func aNULDoesNotCutThePath() throws {
        let file = try TemporaryFile("-----BEGIN CERTIFICATE-----\n")
        #expect(ConfigurationSample.refusal(text(file.path).bytes) == nil)
        expectRefusal(file.path + "\\u0000.pem")
    }
}
