import Testing

@testable import PartnerBooking

/// libcurl's codes in the library's terms.
@Suite struct TransferFailureTests {
    private func failure(_ code: UInt32, verifyResult: Int = 0, proxyStatus: Int = 0) -> TransferFailure {
        TransferFailure(curl: .init(rawValue: code), verifyResult: verifyResult, proxyStatus: proxyStatus)
    }

    /// Numbers of https://curl.se/libcurl/c/libcurl-errors.html.
    @Test(
        arguments: [
            (6, PartnerBookingError.Code.dnsFailed), (7, .connectFailed), (28, .connectFailed), (5, .proxyFailed),
            (97, .proxyFailed),
            (60, .tlsFailed), (77, .tlsFailed), (35, .tlsFailed), (58, .tlsFailed), (59, .tlsFailed), (53, .tlsFailed),
            (54, .tlsFailed),
            (66, .tlsFailed), (83, .tlsFailed), (90, .tlsFailed), (91, .tlsFailed), (98, .tlsFailed), (64, .tlsFailed),
            (27, .resourceUnavailable), (2, .resourceUnavailable), (8, .invalidReply), (1, .invalidReply),
            (61, .invalidReply),
            (52, .connectionLost), (55, .connectionLost), (56, .connectionLost), (18, .connectionLost),
            (16, .connectionLost),
            (92, .connectionLost), (95, .connectionLost), (0, .connectionLost), (999, .connectionLost),
        ] as [(UInt32, PartnerBookingError.Code)])
    func everyCodeOfCurlHasACode(_ curl: UInt32, _ code: PartnerBookingError.Code) {
        let failure = failure(curl)
        #expect(failure.code == code)
        #expect(!failure.message.isEmpty && !failure.message.contains("\n"))
        #expect(failure.partialReply == nil)
    }

    /// docs/errors.md: which codes are retryable.
    @Test func whatMayBeRetriedIsWhatTheDocumentationSays() {
        let retryable: [PartnerBookingError.Code: Bool] = [
            .dnsFailed: true, .connectFailed: true, .proxyFailed: true, .connectionLost: true, .resourceUnavailable: true,
            .tlsFailed: false, .invalidReply: false,
        ]
        for curl in 0..<110 as Range<UInt32> {
            let failure = failure(curl)
            // CURLE_SSL_CONNECT_ERROR: a handshake that was broken off may do better the next time; a certificate never will.
            let expected = curl == 35 ? true : retryable[failure.code]
            #expect(failure.isRetryable == expected, "CURLcode \(curl): \(failure.code.rawValue)")
        }
    }

    @Test(arguments: [300, 403, 407, 502])
    func aProxyThatRefusesIsNamedWhateverCurlSays(_ status: Int) {
        for curl in [0, 7, 56, 60] as [UInt32] {
            let failure = failure(curl, proxyStatus: status)
            #expect(failure.code == .proxyFailed)
            #expect(failure.message.contains("\(status)"))
        }
        #expect(failure(56, proxyStatus: 200).code == .connectionLost)
    }

    @Test(arguments: [
        (10, "expired"), (9, "not valid yet"), (18, "unknown authority"), (19, "unknown authority"),
        (20, "unknown authority"),
        (21, "unknown authority"), (62, "another host"), (0, "another host"), (1, "another host"), (26, "26"),
    ])
    func theMessageSaysWhatIsWrongWithACertificate(_ verifyResult: Int, _ words: String) {
        let failure = failure(60, verifyResult: verifyResult)
        #expect(failure.code == .tlsFailed)
        #expect(failure.message.contains(words))
        #expect(!failure.isRetryable)
    }
}
