import Testing

@testable import PartnerBooking

/// Configurations, and what is read of them.
enum ConfigurationSample {
    static var partner: RequestText { RequestText().setting("api_key", #""sk_ptnr_x7Q""#) }
    static var sandbox: RequestText { RequestText().setting("endpoint", #""sandbox""#) }

    static func read(_ text: RequestText) throws -> Configuration { try Configuration(json: text.bytes) }

    static func refusal(_ bytes: [UInt8]) -> PartnerBookingError? {
        do throws(PartnerBookingError) {
            _ = try Configuration(json: bytes)
            return nil
        } catch {
            return error
        }
    }

    static func clinic(_ configuration: Configuration) -> SandboxSettings? {
        if case .sandbox(let clinic, _) = configuration.service { clinic } else { nil }
    }

    /// Of a configuration whose service is the Partner API, or the sandbox that plays it.
    static func settings(_ configuration: Configuration) throws -> PartnerAPISettings {
        switch configuration.service {
        case .partnerAPI(let settings), .sandbox(_, let settings): settings
        case .platformWebhook: throw TestFailure("not the Partner API")
        }
    }

    static func settings(_ text: RequestText) throws -> PartnerAPISettings { try settings(read(text)) }
}
