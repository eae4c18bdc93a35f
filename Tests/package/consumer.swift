// A Swift program that takes the C ABI through the installed module map.
import CPartnerBooking

let client = pbk_client_open(#"{"endpoint":"sandbox","sandbox":{"now":"2030-01-14T08:00:00Z"}}"#, nil, nil)
var status = PBK_OK
let request = """
    {"bot_id":"bot_01h2xcejqtf2nbrexx3vqjhp41","idempotency_key":"consumer-1","booking":{"start_at":"2030-01-14T10:00:00Z",\
    "duration_minutes":30,"customer":{"phone":"+15551234567","name":"John Doe"}}}
    """
let reply = pbk_create_booking(client, request, &status)
print("built with \(PBK_VERSION), runs with \(String(cString: pbk_version())): \(String(cString: reply!))")
pbk_string_free(reply)
precondition(pbk_client_close(client, 1000) == PBK_OK && status == PBK_OK)
