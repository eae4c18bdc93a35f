// Functions for a host's store of bookings.
import CPartnerBooking
import PartnerBooking

@_cdecl("pbk_client_open_with_ledger") @implementation
public func pbk_client_open_with_ledger(
    _ configJSON: UnsafePointer<CChar>?, _ callback: pbk_ledger_callback?, _ context: UnsafeMutableRawPointer?,
    _ errorJSON: UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>?, _ status: UnsafeMutablePointer<pbk_status>?
) -> OpaquePointer? {
    let handle = LedgerHandle()
    let options = callback.map { callback in
        let context = UInt(bitPattern: context)
        return LedgerOptions { batch, json in
            guard let text = string(json) else { return }
            let client = OpaquePointer(bitPattern: handle.value)
            callback(UnsafeMutableRawPointer(bitPattern: context), client, batch, text)
            pbk_string_free(text)
        }
    }
    return open(configJSON, errorJSON, status, handle) { json throws(PartnerBookingError) in
        try PartnerBookingClient(json: json, ledger: options ?? .pulled)
    }
}

@_cdecl("pbk_ledger_answer") @implementation
public func pbk_ledger_answer(
    _ client: OpaquePointer?, _ batch: UInt64, _ resultsJSON: UnsafePointer<CChar>?,
    _ errorJSON: UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>?
) -> pbk_status {
    uncancelled {
        errorJSON?.pointee = nil
        do throws(PartnerBookingError) {
            try Handles.ledgerClient(client).answerLedger(batch: batch, json: try bytes(resultsJSON, "results_json"))
            return PBK_OK
        } catch {
            errorJSON?.pointee = string(error.json)
            return error.pbkStatus
        }
    }
}

@_cdecl("pbk_next_ledger_batch") @implementation
public func pbk_next_ledger_batch(
    _ client: OpaquePointer?, _ timeoutMilliseconds: Int32, _ batch: UnsafeMutablePointer<UInt64>?,
    _ status: UnsafeMutablePointer<pbk_status>?
) -> UnsafeMutablePointer<CChar>? {
    uncancelled {
        do throws(PartnerBookingError) {
            guard let batch else { throw .argument(ErrorMessage.noBatchNumber) }
            batch.pointee = 0
            let timeout: Duration? = timeoutMilliseconds < 0 ? nil : .milliseconds(timeoutMilliseconds)
            switch try Handles.ledgerClient(client).nextLedgerBatch(timeout: timeout) {
            case .batch(let number, let json):
                let text = string(json)
                status?.pointee = text == nil ? PBK_RESOURCE_UNAVAILABLE : PBK_OK
                batch.pointee = number
                return text
            case .timedOut: status?.pointee = PBK_TIMEOUT
            case .closed: status?.pointee = PBK_CLIENT_CLOSED
            }
        } catch {
            status?.pointee = error.pbkStatus
        }
        return nil
    }
}
