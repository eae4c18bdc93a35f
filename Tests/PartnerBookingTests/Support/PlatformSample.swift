import Testing

@testable import PartnerBooking

/// Configurations of platforms.
enum PlatformSample {
    static let platform =
        #"{"account_id":"acct_1","webhook_url":"https://clinic.example/hook","webhook_secret":"whsec_1"}"#

    static func text(_ platforms: String = #"{"bot_1":\#(platform)}"#, _ more: String = "") -> [UInt8] {
        Array(#"{"endpoint":"platform_webhook","platforms":\#(platforms)\#(more)}"#.utf8)
    }

    static func directory(_ platforms: String, _ more: String = "") throws -> PlatformDirectory {
        guard case .platformWebhook(let directory) = try Configuration(json: text(platforms, more)).service else {
            throw TestFailure("another endpoint")
        }
        return directory
    }
}
