import Glibc
import Testing

@testable import PartnerBooking

/// The members of the configuration that are texts with rules: URLs, paths, keys.
@Suite struct ConfigurationTextTests {
    private func quoted(_ text: String) -> String {
        String(decoding: JSONWriter.object { $0.member("t", text) }.dropFirst(5).dropLast(), as: UTF8.self)
    }

    private func refusal(_ path: String, _ value: String) -> PartnerBookingError? {
        ConfigurationSample.refusal(ConfigurationSample.partner.setting(path, quoted(value)).bytes)
    }

    // MARK: base_url

    @Test(arguments: [
        ("https://example.com", "https://example.com"),
        ("https://example.com/", "https://example.com"),
        ("https://example.com/api/", "https://example.com/api"),
        ("https://example.com/api/v2", "https://example.com/api/v2"),
        ("https://example.com:8443", "https://example.com:8443"),
        ("HTTPS://EXAMPLE.COM", "HTTPS://EXAMPLE.COM"),
        ("https://[2001:db8::1]:443", "https://[2001:db8::1]:443"),
        ("https://10.0.0.7", "https://10.0.0.7"),
        ("http://localhost", "http://localhost"),
        ("http://localhost:8080/", "http://localhost:8080"),
        ("http://LOCALHOST", "http://LOCALHOST"),
        ("HTTP://127.0.0.1", "HTTP://127.0.0.1"),
        ("http://127.0.0.1:1", "http://127.0.0.1:1"),
        ("http://127.9.9.9", "http://127.9.9.9"),
        ("http://127.255.255.255/x", "http://127.255.255.255/x"),
        ("http://[::1]", "http://[::1]"),
        ("http://[::1]:8080", "http://[::1]:8080"),
        // libcurl's parser turns these into loopback addresses before it connects, and the check looks at what it makes of them.
        ("http://2130706433", "http://2130706433"),
        ("http://0x7f000001", "http://0x7f000001"),
        ("http://127.1", "http://127.1"),
        ("http://[0:0:0:0:0:0:0:1]", "http://[0:0:0:0:0:0:0:1]"),
    ])
    func anHTTPSOrLoopbackURLIsAccepted(_ url: String, _ baseURL: String) throws {
        let text = ConfigurationSample.partner.setting("base_url", quoted(url))
        #expect(try ConfigurationSample.settings(text).baseURL == baseURL)
    }

    @Test(arguments: [
        // Plain HTTP to anywhere but this machine.
        "http://example.com", "http://127.0.0.1.evil.com", "http://localhost.evil.com", "http://evil.com/127.0.0.1",
        "http://evil.com:80/localhost", "http://localhost.", "http://localhost.localdomain", "http://notlocalhost",
        "http://128.0.0.1",
        "http://126.255.255.255", "http://0.0.0.0", "http://10.0.0.1", "http://192.168.0.1", "http://[::]", "http://[::2]",
        "http://[::ffff:10.0.0.1]", "http://[fe80::1]", "http://2147483649", "http://0x80000001", "http://8.8.8.8#127.0.0.1",
        "http://127.0.0.1%2eevil.com", "http://127.0.0.1%00.evil.com", "http://evil.com%23.127.0.0.1", "http://1270.0.1",
        "http://127.0.0.256", "http://127.0.0.1.1",
        // Users and passwords, also empty ones.
        "https://user@example.com", "https://user:word@example.com", "https://:word@example.com",
        "http://localhost@evil.com",
        "http://127.0.0.1:80@evil.com", "http://user@localhost",
        // Queries and fragments, also empty ones: the paths are appended to this text.
        "https://example.com?a=b", "https://example.com/?a=b", "https://example.com/#top", "https://example.com#top",
        "https://example.com/?", "https://example.com?", "https://example.com/#", "https://example.com#",
        // Other schemes, or none.
        "ftp://example.com", "ftp://localhost", "file:///etc/passwd", "ws://localhost", "gopher://localhost",
        "javascript:alert(1)",
        "example.com", "localhost", "localhost:8080", "127.0.0.1", "//example.com", "/v1", "://example.com", "https",
        "https:",
        "https://", "http://", "https:///", "https://:443", "https://?", "https://#",
        // What is no URL.
        "", " ", "https://exa mple.com", " https://example.com", "https://example.com ", "https://example.com/a b",
        "https://example.com\r\nX-Evil: 1", "https://example.com\n", "https://example.com\u{0}",
        "https://example.com\u{0}.evil.com",
        "https://exämple.com", "https://example.com:99999", "https://example.com:port", "https://[::1", "https://[::g]",
        "https://example.com\u{7F}", "https://example.com/\u{E4}",
    ])
    func anyOtherURLIsRefused(_ url: String) throws {
        let error = try #require(refusal("base_url", url))
        #expect(error.code == .invalidConfig)
        #expect(error.field == "base_url")
    }

    @Test func aURLHasAtMost2048Bytes() {
        let start = "https://example.com/"
        #expect(refusal("base_url", start + String(repeating: "a", count: 2_048 - start.utf8.count)) == nil)
        #expect(refusal("base_url", start + String(repeating: "a", count: 2_049 - start.utf8.count))?.field == "base_url")
    }

    /// Whatever is accepted, the paths end up in the path of the URL.
    @Test func aBaseURLThatIsAcceptedTakesThePaths() throws {
        for url in ["https://example.com?", "https://example.com/#", "https://example.com/x?", "https://example.com/x"] {
            let text = ConfigurationSample.partner.setting("base_url", quoted(url))
            guard let settings = try? ConfigurationSample.settings(text) else { continue }
            let full = settings.baseURL + settings.searchPath
            #expect(!full.contains("?") && !full.contains("#"), "\(full)")
        }
    }

    // MARK: paths

    @Test(arguments: ["paths.search_availability", "paths.create_booking"])
    func aPathStartsWithASlash(_ path: String) {
        let long = "/" + String(repeating: "a", count: 1_023)
        for right in ["/", "/v1", "/v1/a.b~c/%20", "//", long] {
            #expect(refusal(path, right) == nil, "\(right.prefix(20))")
        }
        for wrong in [
            "", "v1", "v1/", " /v1", "/v1 ", "/v 1", "/v1?a=b", "/v1?", "/v1#top", "/v1\r\nHost: evil", "/v1\n", "/v1\u{0}",
            "/ü",
            "https://evil.com/", "\\v1", long + "a",
        ] {
            #expect(refusal(path, wrong)?.field == path, "\(wrong.prefix(20))")
        }
    }

    // MARK: proxy

    @Test(arguments: [
        "http://proxy.example.com:3128", "https://proxy.example.com", "socks5://127.0.0.1:1080", "socks5h://proxy:1080",
        "http://user:word@proxy.example.com:3128", "HTTP://proxy", "http://[::1]:3128",
    ])
    func aProxyIsAURLOfFourSchemes(_ url: String) throws {
        let text = ConfigurationSample.partner.setting("proxy", quoted(url))
        #expect(try ConfigurationSample.read(text).connection.proxy == url)
    }

    @Test(arguments: [
        "", " ", "proxy", "proxy:3128", "socks4://proxy", "socks4a://proxy", "socks://proxy", "ftp://proxy", "http://",
        "http://pro xy",
        "http://proxy\r\n", "http://proxy\u{0}", "http://proxy:99999", "direct://",
    ])
    func anyOtherProxyIsRefused(_ url: String) { #expect(refusal("proxy", url)?.field == "proxy") }

    // MARK: api_key

    @Test(arguments: [
        "sk_ptnr_0", "sk_ptnr_0123456789abcdef", "sk_ptnr_!~", "sk_ptnr_\"\\",
        "sk_ptnr_" + String(repeating: "k", count: 504),
    ])
    func aPartnerKeyIsAccepted(_ key: String) throws {
        #expect(try ConfigurationSample.settings(RequestText().setting("api_key", quoted(key))).apiKey == key)
        let text = ConfigurationSample.sandbox.setting("sandbox.api_key", quoted(key))
        #expect(ConfigurationSample.clinic(try ConfigurationSample.read(text))?.apiKey == key)
    }

    @Test(arguments: [
        "", "sk_ptnr_", "sk_ptnr", "sk_live_0123456789", "SK_PTNR_0123456789", "0123456789", " sk_ptnr_0123456789",
        "sk_ptnr_01234 6789",
        "sk_ptnr_0123456789 ", "sk_ptnr_0123456789\r\nX-Evil: 1", "sk_ptnr_0123456789\n", "sk_ptnr_0123456789\r",
        "sk_ptnr_0123\u{0}456789",
        "sk_ptnr_0123456789\t", "sk_ptnr_0123456789é", "sk_ptnr_0123456789\u{7F}", "Bearer sk_ptnr_0123456789",
        "sk_ptnr_" + String(repeating: "k", count: 505),
    ])
    func anyOtherKeyIsRefusedAndNeverRepeated(_ key: String) throws {
        for (path, text) in [("api_key", RequestText()), ("sandbox.api_key", ConfigurationSample.sandbox)] {
            let error = try #require(ConfigurationSample.refusal(text.setting(path, quoted(key)).bytes))
            #expect(error.code == .invalidConfig)
            #expect(error.field == path)
            #expect(!error.message.contains("0123") && !error.message.contains("kkkk"))
        }
    }

    @Test func noRefusalRepeatsTheKey() throws {
        let key = #""sk_ptnr_hush""#
        for path in [
            "timeout_ms", "base_url", "paths", "paths.create_booking", "retry.max_attempts", "tls.ca_file", "unknown",
        ] {
            let text = RequestText().setting("api_key", key).setting(path, "[]")
            #expect(!(try #require(ConfigurationSample.refusal(text.bytes)).message.contains("hush")))
        }
        let bytes = RequestText().setting("api_key", key).bytes
        for length in 0..<bytes.count {
            #expect(!(try #require(ConfigurationSample.refusal(Array(bytes.prefix(length)))).message.contains("hush")))
        }
        let twice = RequestText().setting("api_key", key).adding("api_key", key)
        #expect(!(try #require(ConfigurationSample.refusal(twice.bytes)).message.contains("hush")))
    }
}
