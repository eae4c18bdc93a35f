// Answers one line after the other, for phones.py: region, locale and text, with tabs between. Prints the number, its region,
// its groups, its extension and its words; or the reason of a refusal after a `!`, and the digits heard and wanted.
import PartnerBooking

if CommandLine.arguments.contains("--time") {
    printTimes()
} else {
    while let line = readLine() { print(answer(to: line)) }
}

func answer(to line: String) -> String {
    let fields = line.split(separator: "\t", omittingEmptySubsequences: false).map(String.init)
    guard fields.count == 3, let locale = VoiceLocale(fields[1]) else { return "!line" }
    do {
        let phone = try PhoneNumber(fields[2], region: fields[0].isEmpty ? nil : fields[0], locale: locale)
        let groups = phone.groups.joined(separator: " ")
        return [phone.e164, phone.region ?? "", groups, phone.extensionDigits ?? "", phone.words].joined(separator: "\t")
    } catch {
        let problem = error.phoneProblem
        let counts = [problem?.digitsHeard, problem?.digitsWanted].map { $0.map(String.init) ?? "" }
        return "!" + ([problem?.reason.rawValue ?? error.code.rawValue] + counts).joined(separator: "\t")
    }
}

func printTimes() {
    let requests = [
        #"{"text":"+15551234567","region":"US"}"#,
        #"{"text":"(555) 123-4567","region":"US"}"#,
        #"{"text":"it's five five five, one two three, four five six seven","region":"US"}"#,
        #"{"text":"um, my number is area code five five five, one twenty three, double four six seven","region":"US"}"#,
        #"{"text":"oh seven four double oh, one two three, four five six","region":"GB","locale":"en-GB"}"#,
        #"{"text":"zéro six, douze, trente-quatre, cinquante-six, soixante-dix-huit","region":"FR","locale":"fr"}"#,
        #"{"text":"seiscientos doce, trescientos cuarenta y cinco, seis siete ocho","region":"ES","locale":"es"}"#,
        #"{"text":"five five five, one two three","region":"US"}"#,
    ]
    for request in requests {
        let bytes = Array(request.utf8)
        let time = shortestTime(calls: 2_000) { consume(bytes) }
        print("\(Int(time)) ns  \(request)")
    }
}

@inline(never)
func consume(_ request: [UInt8]) {
    _ = try? PhoneNumber.reply(json: request)
}
