/// The system did not give a thread or a descriptor.
struct SystemError: Error, Equatable {
    /// One sentence.
    let message: String
}
