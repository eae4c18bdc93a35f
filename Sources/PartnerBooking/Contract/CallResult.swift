/// The end of a call: the service's reply, byte for byte, or the error.
public typealias CallResult = Result<[UInt8], PartnerBookingError>
