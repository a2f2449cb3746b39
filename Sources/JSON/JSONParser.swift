import CSimdJSON

/// Reads JSON texts one after the other, in memory that is kept between them: no allocation in steady state.
///
/// Not `Sendable`: a parser belongs to one user at a time.
package final class JSONParser {
    /// What a document may have at most, so that a small text cannot make a huge tape.
    package static let maxDepth = 32
    package static let maxStructuralCharacters = 8 << 20

    private let handle: OpaquePointer?

    /// Without memory for it every parse throws `.outOfMemory`.
    package init() { handle = csj_create() }
    deinit { csj_destroy(handle) }

    /// Parses one document and hands its tokens to `body`. Every byte is validated, nested values too; scalars that
    /// are no JSON value are tokens of kind `.invalid` and end nothing.
    package func withTape<Result>(
        of bytes: UnsafeRawBufferPointer, _ body: (JSONTape) -> Result
    ) throws(JSONError) -> Result {
        body(try parse(bytes))
    }

    private func parse(_ bytes: UnsafeRawBufferPointer) throws(JSONError) -> JSONTape {
        guard let handle else { throw JSONError(.outOfMemory, at: 0) }
        var document = csj_document()
        let status = csj_parse(
            handle, bytes.bindMemory(to: UInt8.self).baseAddress, bytes.count, UInt32(JSONParser.maxDepth),
            UInt32(JSONParser.maxStructuralCharacters), &document)
        guard status == 0, let tape = JSONTape(document, source: bytes) else {
            throw JSONError(JSONParser.reason(of: status), at: document.position)
        }
        return tape
    }

    private static func reason(of status: CInt) -> JSONError.Reason {
        switch csj_error(UInt32(status)) {
        case csj_out_of_memory: .outOfMemory
        case csj_empty: .empty
        case csj_not_utf8: .notUTF8
        case csj_control_character: .controlCharacter
        case csj_unclosed_string: .unclosedString
        case csj_unexpected: .unexpected
        case csj_incomplete: .incomplete
        case csj_trailing: .trailing
        case csj_too_deep: .tooDeep
        case csj_too_many_tokens: .tooManyTokens
        case csj_too_long: .tooLong
        default: .parserFailed
        }
    }
}
