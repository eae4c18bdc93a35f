import Testing

@testable import PartnerBooking

@Suite struct FingerprintTests {
    private func fingerprint(_ json: String) throws -> Fingerprint {
        try #require(Fingerprint(body: Array(json.utf8)), "\(json)")
    }

    /// Each row: spellings of one meaning.
    @Test(arguments: [
        [#"{"a":1,"b":2}"#, #"{"b":2,"a":1}"#, " {\n\"b\" : 2 ,\t\"a\":1\r\n}"],
        [#"{"n":30}"#, #"{"n":30.0}"#, #"{"n":3e1}"#, #"{"n":3E+1}"#, #"{"n":0.30e2}"#, #"{"n":3000e-2}"#],
        [#"{"n":0}"#, #"{"n":-0}"#, #"{"n":0.000}"#, #"{"n":0e99}"#],
        [#"{"n":-12.5}"#, #"{"n":-1.25e1}"#, #"{"n":-12.50}"#],
        [#"{"t":"é/\n"}"#, #"{"t":"\u00e9\/\u000a"}"#],
        [#"{"t":"😀"}"#, #"{"t":"\ud83d\ude00"}"#],
        [#"{"o":{"x":[1,{"p":null,"q":true}],"y":false}}"#, #"{"o":{"y":false,"x":[1.0,{"q":true,"p":null}]}}"#],
        [#"{"\u0061":1}"#, #"{"a":1}"#],
        [#"{"\u00e9":1,"e\u0301":2}"#, #"{"e\u0301":2,"\u00e9":1}"#],
    ])
    func spellingMakesNoDifference(_ spellings: [String]) throws {
        #expect(Set(try spellings.map(fingerprint)).count == 1)
    }

    /// All of these mean different things.
    @Test func meaningMakesADifference() throws {
        let texts = [
            "{}", "[]", #"{"a":1}"#, #"{"a":"1"}"#, #"{"a":-1}"#, #"{"a":10}"#, #"{"a":0.1}"#, #"{"a":[1]}"#, #"{"a":{}}"#,
            #"{"a":[]}"#, #"{"a":true}"#, #"{"a":false}"#, #"{"a":null}"#, #"{"a":""}"#, #"{"b":1}"#, #"{"a":1,"b":1}"#,
            #"{"a":[1,2]}"#, #"{"a":[2,1]}"#, #"{"a":[[1],2]}"#, #"{"a":[1,[2]]}"#, #"{"a":"b","c":"d"}"#,
            #"{"a":"bc","":"d"}"#,
            #"{"a":"s1:b"}"#, #"{"a":1e400}"#, #"{"a":1e401}"#, #"{"a":9007199254740993}"#, #"{"a":9007199254740992}"#,
            #"{"a":1e99999999999999999999}"#, #"{"a":2e99999999999999999999}"#, #"{"a":1,"a":2}"#, #"{"a":2,"a":1}"#,
            #"{"a":1e-9223372036854775808}"#, #"{"a":1e9223372036854775807}"#,
            // To people the same letter, made up in two ways.
            #"{"\u00e9":1,"e\u0301":2}"#, #"{"\u00e9":2,"e\u0301":1}"#,
        ]
        #expect(Set(try texts.map(fingerprint)).count == texts.count)
    }

    @Test(arguments: ["", "{", #"{"a":01}"#, "\u{FEFF}{}"])
    func whatIsNotJSONHasNone(_ text: String) {
        #expect(Fingerprint(body: Array(text.utf8)) == nil)
    }
}
