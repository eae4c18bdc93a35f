import Testing

@testable import PartnerBooking

@Suite struct WebhookSignatureTests {
    private static let now = 1_705_312_800
    private static let body = Array(#"{"account_id":"acct_1","query":{}}"#.utf8)

    /// nil: valid.
    private func refusal(
        _ header: String?, _ body: [UInt8] = body, secrets: [String] = ["whsec_1"], now: Int = now, tolerance: Int = 300
    ) -> WebhookSignature.Refusal? {
        do throws(WebhookSignature.Refusal) {
            try WebhookSignature.verify(header, body: body, secrets: secrets, now: now, tolerance: .seconds(tolerance))
            return nil
        } catch {
            return error
        }
    }

    private func header(_ secret: String = "whsec_1", _ body: [UInt8] = body, at timestamp: Int = now) -> String {
        WebhookSignature.header(secret: secret, body: body, timestamp: timestamp)
    }

    /// Made with Python: hmac.new(secret, b"%d." % timestamp + body, "sha256").
    @Test(arguments: [
        ("whsec_test_secret", 1_700_000_000, #"{"account_id":"acct_123","query":{}}"#, vector1),
        ("s", 0, "", vector2),
        ("ключ 🗝", 1_705_312_800, "{\"name\":\"Zoë\u{0301}\"}\n", vector3),
    ])
    func itIsTheProtocols(_ secret: String, _ timestamp: Int, _ body: String, _ code: String) {
        #expect(header(secret, Array(body.utf8), at: timestamp) == "t=\(timestamp),v1=\(code)")
        #expect(refusal("t=\(timestamp),v1=\(code)", Array(body.utf8), secrets: [secret], now: timestamp) == nil)
    }
    private static let vector1 = "e49a2870a2eef6c0c032f11c38696b173478ebf6277d6bb2cc06b5e8f5b88cbb"
    private static let vector2 = "2572e102ebbc88d57bc0ef48471ee28bb7fc8c6e9c0558b3c8e5d276f84ac9c3"
    private static let vector3 = "dbcb50be862cdceb9dc4573a5b297cfb275510d69ff8885f14204d4c1c69272b"

    @Test func whatWasSignedIsValidAndNothingElseIs() {
        #expect(refusal(header()) == nil)
        #expect(refusal(header("whsec_2")) == .mismatch)
        #expect(refusal(header(), Self.body + [0x20]) == .mismatch)
        #expect(refusal(header(), []) == .mismatch)
        #expect(refusal(header().replacing("t=1", with: "t=2"), now: 2_705_312_800) == .mismatch)
        for index in Self.body.indices {
            var other = Self.body
            other[index] ^= 1
            #expect(refusal(header(), other) == .mismatch)
        }
    }

    @Test func anyOfTheSecretsMayHaveSigned() {
        #expect(refusal(header("old"), secrets: ["new", "old"]) == nil)
        #expect(refusal(header("new"), secrets: ["new", "old"]) == nil)
        #expect(refusal(header("other"), secrets: ["new", "old"]) == .mismatch)
        #expect(refusal(header(), secrets: []) == .mismatch)
        // Everybody knows the empty secret.
        #expect(refusal(header(""), secrets: [""]) == .mismatch)
    }

    @Test func theTimeMayBeOffAsFarAsIsTolerated() {
        let expectations: [(Int, WebhookSignature.Refusal?)] = [
            (-301, .inFuture), (-300, nil), (0, nil), (300, nil), (301, .tooOld),
        ]
        for (offset, expected) in expectations {
            #expect(refusal(header(), now: Self.now + offset) == expected, "\(offset)")
        }
        #expect(refusal(header(), now: Self.now + 11, tolerance: 10) == .tooOld)
        #expect(refusal(header(), now: Self.now - 11, tolerance: 10) == .inFuture)
        #expect(refusal(header(), now: Int.max) == .tooOld)
        #expect(refusal(header(), now: 0) == .inFuture)
        for tolerance in [Int.min, -1, 0, Int.max] {
            for now in [Int.min, -1, 0, 1, Int.max] { _ = refusal(header(at: 0), now: now, tolerance: tolerance) }
        }
    }

    /// The time is told of only to those who have the secret.
    @Test func aWrongSignatureIsToldBeforeAWrongTime() {
        #expect(refusal(header("whsec_2"), now: Self.now + 5_000) == .mismatch)
    }

    @Test func theHeaderIsReadStrictly() throws {
        let code = try #require(header().split(separator: "v1=").last)
        let other = String(repeating: "0", count: 64)
        let table: [(String?, WebhookSignature.Refusal?)] = [
            (nil, .missing), ("", .missing),
            ("t=1705312800,v1=\(code)", nil), ("v1=\(code),t=1705312800", nil),
            ("t=1705312800,v1=\(other),v1=\(code)", nil), ("t=1705312800,v1=\(code),v1=\(other)", nil),
            ("t=1705312800,v1=short,v1=\(code),v1=", nil), ("t=1705312800,v0=x,v1=\(code),v2=a=b", nil),
            ("t=1705312800,tt=3,T=3,v1=\(code)", nil), ("t=1705312800,v1=\(code)0", .mismatch),
            ("t=1705312800,v1=\(code.dropLast())", .mismatch), ("t=1705312800,v1=", .mismatch),
            ("t=1705312800,v1=\(code.uppercased())", .mismatch), ("t=1705312800,v1=\(other)", .mismatch),
            ("t=1705312800", .malformed), ("v1=\(code)", .malformed), ("t=1705312800,V1=\(code)", .malformed),
            ("t=,v1=\(code)", .malformed), ("t,v1=\(code)", .malformed), ("t=123abc,v1=\(code)", .malformed),
            ("t=1705312800abc,v1=\(code)", .malformed), ("t=+1705312800,v1=\(code)", .malformed),
            ("t=-1705312800,v1=\(code)", .malformed), ("t=01705312800,v1=\(code)", .malformed),
            ("t=1705312800.0,v1=\(code)", .malformed), ("t=1e9,v1=\(code)", .malformed),
            ("t=99999999999999999999,v1=\(code)", .malformed), ("t=1705312800,t=1705312800,v1=\(code)", .malformed),
            ("t=1705312800, v1=\(code)", .malformed), (" t=1705312800,v1=\(code)", .malformed),
            ("t= 1705312800,v1=\(code)", .malformed), ("t=1705312800,v1=\(code)\n", .malformed),
            ("t=1705312800,,v1=\(code)", .malformed), (",t=1705312800,v1=\(code)", .malformed),
            ("t=1705312800,v1=\(code),", .malformed), ("t=1705312800;v1=\(code)", .malformed),
            ("t=1705312800,=x,v1=\(code)", .malformed), ("t=１７０５３１２８００,v1=\(code)", .malformed),
            ("t=1705312800,v1=\(code)\u{0}", .malformed), (",", .malformed), ("=", .malformed), ("t=0,v1", .malformed),
            ("t=1705312800,v1=\(code),x=" + String(repeating: "x", count: 4_096), .malformed),
        ]
        for (header, expected) in table { #expect(refusal(header) == expected, "\(header ?? "none")") }
    }

    @Test func theLastPlaceCountsAsMuchAsTheFirst() {
        let code = SHA256.digest(of: [1])
        #expect(WebhookSignature.areEqual(code, code))
        for index in code.indices {
            for bit in 0..<8 {
                var other = code
                other[index] ^= 1 << bit
                #expect(!WebhookSignature.areEqual(code, other))
            }
        }
        #expect(!WebhookSignature.areEqual(code, Array(code.dropLast())))
        #expect(!WebhookSignature.areEqual(code, code + [0]))
        #expect(WebhookSignature.areEqual([], []))
    }
}
