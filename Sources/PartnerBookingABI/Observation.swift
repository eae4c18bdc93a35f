// Counters and the log.
import CPartnerBooking
import PartnerBooking

@_cdecl("pbk_stats") @implementation
public func pbk_stats(
    _ client: OpaquePointer?, _ status: UnsafeMutablePointer<pbk_status>?
) -> UnsafeMutablePointer<CChar>? {
    reply(status) { () throws(PartnerBookingError) in try Handles.client(client).statsJSON() }
}

@_cdecl("pbk_client_set_log") @implementation
public func pbk_client_set_log(
    _ client: OpaquePointer?, _ level: pbk_log_level, _ callback: pbk_log_callback?, _ context: UnsafeMutableRawPointer?
) -> pbk_status {
    status { () throws(PartnerBookingError) in
        let client = try Handles.client(client)
        guard level != PBK_LOG_OFF else { return try client.setLog(nil, nil) }
        guard let level = LogLevel(rawValue: Int(level.rawValue)) else {
            throw .argument(ErrorMessage.logLevel)
        }
        guard let callback else { throw .argument(ErrorMessage.noCallback) }
        let context = UInt(bitPattern: context)
        try client.setLog(level) { level, line in
            guard let text = string(line) else { return }
            callback(UnsafeMutableRawPointer(bitPattern: context), pbk_log_level(UInt32(level.rawValue)), text)
            pbk_string_free(text)
        }
    }
}
