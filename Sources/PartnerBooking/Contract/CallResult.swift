/// The end of a call: the service's reply, byte for byte, or the reason why there is none.
public typealias CallResult = Result<[UInt8], PartnerBookingError>
