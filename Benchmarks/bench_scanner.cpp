// Times two other JSON parsers on a document, as bench_scanner.swift times the library's scanner.
//
//     bench_scanner_cpp simdjson|rapidjson FILE PASSES
#define RAPIDJSON_SSE2
#include <rapidjson/reader.h>
#include <simdjson.h>

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <string>

namespace {

// Keeps its memory and the padded copy of the document from pass to pass.
class Simdjson {
public:
    explicit Simdjson(const std::string &text) : text_(text) {}
    bool pass() { return parser_.parse(text_).error() == simdjson::SUCCESS; }

private:
    simdjson::padded_string text_;
    simdjson::dom::parser parser_;
};

// The default handler takes every event and does nothing.
class Rapidjson {
public:
    explicit Rapidjson(const std::string &text) : text_(text) {}
    bool pass()
    {
        rapidjson::Reader reader;
        rapidjson::StringStream stream(text_.c_str());
        rapidjson::BaseReaderHandler<> handler;
        return !reader.Parse<rapidjson::kParseValidateEncodingFlag>(stream, handler).IsError();
    }

private:
    std::string text_;
};

template <typename Parser> long long nanoseconds(Parser &parser, long passes)
{
    const auto begun = std::chrono::steady_clock::now();
    for (long pass = 0; pass < passes; pass++) {
        if (!parser.pass()) {
            std::fputs("the parser refuses the document\n", stderr);
            std::exit(1);
        }
    }
    return std::chrono::duration_cast<std::chrono::nanoseconds>(std::chrono::steady_clock::now() - begun).count();
}

template <typename Parser> void measure(const std::string &text, long passes)
{
    Parser parser(text);
    nanoseconds(parser, passes / 4 + 1);  // warms up
    std::printf("{\"bytes\":%zu,\"ns\":%lld}\n", text.size(), nanoseconds(parser, passes));
}

}  // namespace

int main(int argc, char **argv)
{
    const std::string name = argc == 4 ? argv[1] : "";
    const long passes = argc == 4 ? std::atol(argv[3]) : 0;
    if (passes < 1 || (name != "simdjson" && name != "rapidjson")) {
        std::fputs("usage: bench_scanner_cpp simdjson|rapidjson FILE PASSES\n", stderr);
        return 2;
    }
    std::ifstream file(argv[2], std::ios::binary);
    const std::string text{std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
    if (name == "simdjson") {
        measure<Simdjson>(text, passes);
    } else {
        measure<Rapidjson>(text, passes);
    }
}
