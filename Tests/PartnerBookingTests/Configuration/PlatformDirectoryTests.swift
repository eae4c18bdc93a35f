import Testing

@testable import PartnerBooking

/// docs/json-contract.md, "Platforms".
@Suite struct PlatformDirectoryTests {
    private func refusal(_ platforms: String, _ more: String = "") -> PartnerBookingError? {
        ConfigurationSample.refusal(PlatformSample.text(platforms, more))
    }

    /// One platform with a member changed; nil leaves it out.
    private func with(_ member: String, _ value: String?) -> String {
        var members = ["account_id": #""acct_1""#, "webhook_url": #""https://h.test""#, "webhook_secret": #""s""#]
        members[member] = value
        return #"{"bot_1":{"# + members.map { "\"\($0)\":\($1)" }.joined(separator: ",") + "}}"
    }

    @Test func platformsAreReadByBot() throws {
        let directory = try PlatformSample.directory(
            #"{"bot_1":\#(PlatformSample.platform),"bot_2":{"account_id":"acct_2"}}"#)
        #expect(directory.platforms.keys.sorted() == ["bot_1", "bot_2"])
        #expect(directory.platforms["bot_1"]?.accountID == "acct_1")
        #expect(directory.platforms["bot_1"]?.webhook?.url == "https://clinic.example/hook")
        #expect(directory.platforms["bot_2"]?.accountID == "acct_2")
        #expect(directory.platforms["bot_2"]?.webhook == nil)
        #expect(directory.webhookTimeoutMilliseconds == 30_000)
        let hurried = try PlatformSample.directory(#"{"bot_1":\#(PlatformSample.platform)}"#, #","webhook_timeout_ms":17"#)
        #expect(hurried.webhookTimeoutMilliseconds == 17)
    }

    /// What calls share: the retry budget and the breaker by URL, the connections by server.
    @Test func botsShareWebhooksAndWebhooksShareServers() throws {
        func platform(_ url: String) -> String {
            #"{"account_id":"a","webhook_url":"\#(url)","webhook_secret":"s"}"#
        }
        let urls = [
            "https://h.test/one", "https://h.test/one/", "https://h.test/two", "https://H.test:443/one",
            "https://h.test:8443/one", "http://127.0.0.1/one",
        ]
        let members = urls.enumerated().map { "\"bot_\($0)\":\(platform($1))" }
        let directory = try PlatformSample.directory(
            "{" + members.joined(separator: ",") + "}", #","private_hosts":["127.0.0.1"]"#)
        let webhooks = urls.indices.compactMap { directory.platforms["bot_\($0)"]?.webhook }
        #expect(webhooks.map(\.number) == [0, 0, 1, 2, 3, 4])
        #expect(directory.webhookCount == 5)
        #expect(webhooks.map(\.origin.number) == [0, 0, 0, 0, 1, 2])
        #expect(
            directory.origins.map(\.warmUpURL) == ["https://h.test:443/", "https://h.test:8443/", "http://127.0.0.1:80/"])
        #expect(directory.origins.map(\.number) == [0, 1, 2])
        #expect(directory.origins.map(\.isPublicOnly) == [true, true, false])
    }

    @Test func whatIsMissingOrWrongIsNamed() {
        for (platforms, field) in [
            ("null", "platforms"), ("[]", "platforms"), ("{}", "platforms"), (#"{"bot_1":null}"#, "platforms"),
            (#"{"bot_1":{}}"#, "platforms.bot_1.account_id"), (#"{"":\#(PlatformSample.platform)}"#, "platforms"),
            (#"{"bot_1":\#(PlatformSample.platform),"bot_1":\#(PlatformSample.platform)}"#, "platforms"),
            (#"{"b\no t":{}}"#, "platforms.b?o?t.account_id"),
            (with("account_id", #""""#), "platforms.bot_1.account_id"),
            (with("account_id", #""acct\r\nX: 1""#), "platforms.bot_1.account_id"),
            (with("account_id", #""acct 1""#), "platforms.bot_1.account_id"),
            (with("account_id", "7"), "platforms.bot_1.account_id"),
            (with("webhook_secret", nil), "platforms.bot_1.webhook_secret"),
            (with("webhook_secret", #""""#), "platforms.bot_1.webhook_secret"),
            (with("webhook_secret", "[]"), "platforms.bot_1.webhook_secret"),
            (with("webhook_secret", #"["a","b","c"]"#), "platforms.bot_1.webhook_secret"),
            (with("webhook_secret", #"["a",""]"#), "platforms.bot_1.webhook_secret"),
            (with("webhook_secret", #"["a",7]"#), "platforms.bot_1.webhook_secret"),
            (with("webhook_secret", #""a\u0000b""#), "platforms.bot_1.webhook_secret"),
            (with("webhook_secret", RequestText.string(513)), "platforms.bot_1.webhook_secret"),
            (with("secret", "1"), "platforms.bot_1.secret"),
        ] {
            let error = refusal(platforms)
            #expect(error?.code == .invalidConfig && error?.field == field, "\(platforms): \(error?.field ?? "accepted")")
        }
        #expect(ConfigurationSample.refusal(Array(#"{"endpoint":"platform_webhook"}"#.utf8))?.field == "platforms")
    }

    /// While one secret replaces the other: the first signs, and the second once where that is not accepted.
    @Test func secretsAreKeptAsKeysInTheirOrder() throws {
        func keys(_ secret: String) throws -> [HMACKey]? {
            try PlatformSample.directory(with("webhook_secret", secret)).platforms["bot_1"]?.webhook?.signingKeys
        }
        func signatures(_ keys: [HMACKey]?) -> [String]? {
            keys?.map { key in
                Sample.bookingReply.withUnsafeBytes { WebhookSignature.header(key, body: $0, timestamp: 7) }
            }
        }
        func expected(_ secrets: String...) -> [String] {
            secrets.map { WebhookSignature.header(secret: $0, body: Sample.bookingReply, timestamp: 7) }
        }
        #expect(try signatures(keys(#""one""#)) == expected("one"))
        #expect(try signatures(keys(#"["one"]"#)) == expected("one"))
        #expect(try signatures(keys(#"["new","old"]"#)) == expected("new", "old"))
    }

    @Test func noErrorHoldsASecret() throws {
        for wrong in [#""topsecret\u0000""#, #"["topsecret",7]"#, #"["topsecret","topsecret","topsecret"]"#] {
            let error = try #require(refusal(with("webhook_secret", wrong)))
            #expect(!String(decoding: error.json, as: UTF8.self).contains("topsecret"))
        }
    }

    @Test func membersOfAnotherEndpointAreRefused() {
        for (member, value) in [
            ("api_key", #""sk_ptnr_x""#), ("base_url", #""https://h.test""#), ("paths", "{}"), ("sandbox", "{}"),
        ] {
            #expect(refusal(#"{"bot_1":\#(PlatformSample.platform)}"#, ",\"\(member)\":\(value)")?.field == member)
        }
        for (member, value) in [("platforms", "{}"), ("private_hosts", "[]"), ("webhook_timeout_ms", "1")] {
            for endpoint in [ConfigurationSample.partner, ConfigurationSample.sandbox] {
                #expect(ConfigurationSample.refusal(endpoint.setting(member, value).bytes)?.field == member)
            }
        }
        for wrong in ["0", "30001", "null", "1.5"] {
            let error = refusal(#"{"bot_1":\#(PlatformSample.platform)}"#, ",\"webhook_timeout_ms\":\(wrong)")
            #expect(error?.field == "webhook_timeout_ms")
        }
    }

    // MARK: Addresses

    @Test(arguments: [
        "https://clinic.example", "https://clinic.example:8443/a/b", "https://1.1.1.1/", "https://[2606:4700::1]/",
    ])
    func publicHostsAreAccepted(_ url: String) throws {
        let directory = try PlatformSample.directory(with("webhook_url", "\"\(url)\""))
        #expect(directory.platforms["bot_1"]?.webhook?.url == (url.hasSuffix("/") ? String(url.dropLast()) : url))
        #expect(directory.origins.map(\.isPublicOnly) == [true])
    }

    /// However it is written. In the clear it is allowed, because nothing leaves the machine.
    @Test(arguments: [
        ("http://127.0.0.1:80", "127.0.0.1"), ("http://localhost/x", "localhost"), ("https://LOCALHOST", "localhost"),
        ("http://[::1]:8080/", "[::1]"), ("https://127.9.9.9", "127.9.9.9"), ("http://0x7f000001", "127.0.0.1"),
        ("http://2130706433/x", "127.0.0.1"), ("https://127.1/", "127.0.0.1"),
    ])
    func thisMachineIsRefusedUnlessItIsNamed(_ url: String, _ host: String) throws {
        let error = try #require(refusal(with("webhook_url", "\"\(url)\"")))
        #expect(error.code == .invalidConfig && error.field == "platforms.bot_1.webhook_url")
        let advice = #"leads to this machine, \#(host): add "\#(host)" to private_hosts if that is intended"#
        #expect(error.message == "platforms.bot_1.webhook_url \(advice)")
        let others = #","private_hosts":["127.0.0.2","clinic.internal","10.0.0.1"]"#
        #expect(refusal(with("webhook_url", "\"\(url)\""), others)?.message == error.message)
        let named = #","private_hosts":["\#(host)"]"#
        let directory = try PlatformSample.directory(with("webhook_url", "\"\(url)\""), named)
        #expect(directory.platforms["bot_1"]?.webhook?.url == (url.hasSuffix("/") ? String(url.dropLast()) : url))
        #expect(directory.origins.map(\.isPublicOnly) == [false])
    }

    /// A name is looked up when a connection is made, and its addresses are checked then.
    @Test(arguments: ["https://localhost.", "https://clinic.localhost", "https://localhost.clinic.example"])
    func anyOtherNameIsCheckedWhenAConnectionIsMade(_ url: String) throws {
        let directory = try PlatformSample.directory(with("webhook_url", "\"\(url)\""), #","private_hosts":["localhost"]"#)
        #expect(directory.origins.map(\.isPublicOnly) == [true])
    }

    @Test func aPrivateAddressIsRefusedWithTheNameToAdd() {
        for (url, host) in [("https://10.1/x", "10.0.0.1"), ("https://[FD00:0::1]", "[fd00::1]")] {
            let advice =
                #"leads to an address that is not public, \#(host): add "\#(host)" to private_hosts if that is intended"#
            #expect(refusal(with("webhook_url", "\"\(url)\""))?.message == "platforms.bot_1.webhook_url \(advice)")
        }
    }

    @Test(arguments: [
        "", "clinic.example", "ftp://h.test", "http://clinic.example", "http://10.0.0.1", "http://127.0.0.1.evil.test",
        "https://u@h.test", "https://u:p@h.test", "https://:p@h.test", "https://h.test?x", "https://h.test/#f",
        "https://h.test#", "https://", "https:///h.test", "https:/h.test", "https:h.test", "https://h .test",
        "https://h.test\\r\\n",
        "https://10.0.0.1", "https://10.1", "https://0x0a000001", "https://167772161", "https://012.0.0.1",
        "https://172.16.0.1/x", "https://192.168.1.1:8443", "https://169.254.169.254/latest/meta-data", "https://0.0.0.0",
        "https://100.64.0.1",
        "https://[fe80::1]", "https://[fd00::1]", "https://[::]", "https://[::ffff:10.0.0.1]", "https://[::ffff:7f00:1]",
        "https://[64:ff9b::10.0.0.1]", "https://224.0.0.1",
    ])
    func allElseIsRefused(_ url: String) {
        let error = refusal(with("webhook_url", "\"\(url)\""))
        #expect(error?.field == "platforms.bot_1.webhook_url", "\(url)")
    }

    @Test func privateHostsAreAllowedByName() throws {
        for (host, url) in [
            ("10.0.0.1", "https://10.0.0.1"), ("10.0.0.1", "https://167772161/x"), ("10.1", "https://10.0.0.1"),
            ("fd00::1", "https://[fd00::1]:8443"), ("[fd00::1]", "https://[FD00:0::1]"),
            ("Clinic.Internal", "https://clinic.internal"),
        ] {
            let directory = try PlatformSample.directory(
                with("webhook_url", "\"\(url)\""), #","private_hosts":["other","\#(host)"]"#)
            #expect(directory.origins.map(\.isPublicOnly) == [false], "\(host) \(url)")
        }
        // The name itself, nothing that looks alike, and never in the clear.
        for (host, url) in [
            ("internal", "https://clinic.internal"), ("clinic.internal", "https://x.clinic.internal"),
            ("10.0.0.2", "https://clinic.internal"),
        ] {
            let directory = try PlatformSample.directory(
                with("webhook_url", "\"\(url)\""), #","private_hosts":["\#(host)"]"#)
            #expect(directory.origins.map(\.isPublicOnly) == [true], "\(host) \(url)")
        }
        #expect(refusal(with("webhook_url", #""http://10.0.0.1""#), #","private_hosts":["10.0.0.1"]"#) != nil)
        #expect(refusal(with("webhook_url", #""https://10.0.0.1""#), #","private_hosts":["10.0.0.2"]"#) != nil)
        for wrong in [
            #""h""#, "[7]", #"[""]"#, #"["u@h"]"#, #"["a b"]"#, #"["h/x"]"#, #"["h?"]"#, #"["h:8443"]"#, "{}", "null",
        ] {
            #expect(refusal(with("webhook_url", nil), ",\"private_hosts\":\(wrong)")?.field == "private_hosts", "\(wrong)")
        }
    }

    @Test func aProxyNeedsTLSToThePlatform() {
        let proxy = #","proxy":"http://proxy.test:3128""#
        #expect(refusal(with("webhook_url", #""https://h.test""#), proxy) == nil)
        let loopback = with("webhook_url", #""http://127.0.0.1""#)
        #expect(refusal(loopback, proxy + #","private_hosts":["127.0.0.1"]"#)?.field == "proxy")
    }
}
