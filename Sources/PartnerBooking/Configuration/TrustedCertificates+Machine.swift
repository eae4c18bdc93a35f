import CCurl
import CSystem
import Glibc

extension TrustedCertificates {
    /// Finds this machine's certificates: in the environment, else in libcurl's built-in
    /// places, else in the places of other distributions. A libcurl from our package was built
    /// on another machine.
    static func ofThisMachine() -> TrustedCertificates {
        if let named = ofTheEnvironment() { return named }
        let libcurl = curl_version_info(CURLVERSION_SEVENTH)?.pointee
        let (file, directory) = (string(libcurl?.cainfo), string(libcurl?.capath))
        // Without either, libcurl leaves the choice to its TLS library.
        if file == nil && directory == nil { return .builtIn }
        if let file, holdsCertificate(file) { return .builtInFile }
        if let directory, holdsHashes(directory) { return .directory(directory) }
        if let file = files.first(where: holdsCertificate) { return .file(file) }
        return directories.first(where: holdsHashes).map { .directory($0) } ?? .builtIn
    }

    /// The files of Debian, Ubuntu, Alpine and Arch (1), Fedora and Red Hat (2), SUSE (2),
    /// Alpine again (1).
    private static var files: [String] {
        [
            "/etc/ssl/certs/ca-certificates.crt",
            "/etc/pki/tls/certs/ca-bundle.crt",
            "/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem",
            "/etc/ssl/ca-bundle.pem",
            "/var/lib/ca-certificates/ca-bundle.pem",
            "/etc/ssl/cert.pem",
        ]
    }

    private static var directories: [String] { ["/etc/ssl/certs", "/etc/pki/tls/certs"] }

    /// Returns the certificates that the variables of curl and OpenSSL name. They are not
    /// checked: a wrong path must not end in the trust of other certificates.
    private static func ofTheEnvironment() -> TrustedCertificates? {
        if let file = variable("CURL_CA_BUNDLE") { return .file(file) }
        guard let directory = variable("SSL_CERT_DIR") else { return variable("SSL_CERT_FILE").map { .file($0) } }
        return variable("SSL_CERT_FILE").map { .fileAndDirectory($0, directory) } ?? .directory(directory)
    }

    /// Returns a variable. nil when it is empty, or when the process has more rights than its
    /// user.
    private static func variable(_ name: String) -> String? {
        guard let value = csystem_getenv(name), value.pointee != 0 else { return nil }
        return String(cString: value)
    }

    private static func string(_ text: UnsafePointer<CChar>?) -> String? { text.map { String(cString: $0) } }

    /// Returns whether this is a readable file, of at most 16 MiB, with a line that begins a
    /// certificate.
    static func holdsCertificate(_ path: String) -> Bool {
        var status = stat()
        guard stat(path, &status) == 0, status.st_mode & S_IFMT == S_IFREG, status.st_size <= 16_777_216,
            let file = fopen(path, "re")
        else { return false }
        defer { fclose(file) }
        var line: UnsafeMutablePointer<CChar>?
        var capacity = 0
        defer { free(line) }
        while getline(&line, &capacity, file) > 0 {
            // Not String.contains: it links all of _StringProcessing, more than a megabyte.
            guard let line else { return false }
            if strncmp(line, "-----BEGIN", 10) == 0 && strstr(line, "CERTIFICATE-----") != nil { return true }
        }
        return false
    }

    /// Returns whether this directory has a certificate under its hash, such as 1a2b3c4d.0.
    private static func holdsHashes(_ path: String) -> Bool {
        guard let directory = opendir(path) else { return false }
        defer { closedir(directory) }
        while let entry = readdir(directory) {
            let isHash = withUnsafeBytes(of: &entry.pointee.d_name) { name in
                name.prefix(8).allSatisfy { isxdigit(Int32($0)) != 0 } && name[8] == UInt8(ascii: ".")
                    && isdigit(Int32(name[9])) != 0
            }
            if isHash { return true }
        }
        return false
    }
}
