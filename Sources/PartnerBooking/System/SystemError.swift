/// An error of the system: no thread or no descriptor.
struct SystemError: Error, Equatable {
    /// One sentence.
    let message: String
}
