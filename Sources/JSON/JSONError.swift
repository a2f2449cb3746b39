/// Why a text is not JSON, or more than the parser takes.
package struct JSONError: Error, Equatable, Sendable, CustomStringConvertible {
    package enum Reason: String, Sendable {
        case empty = "there is nothing"
        case notUTF8 = "it is not UTF-8"
        case controlCharacter = "a string has a bare control character"
        case unclosedString = "a string has no end"
        case unexpected = "this was not expected here"
        case incomplete = "it ends too early"
        case trailing = "something follows the value"
        case tooDeep = "it is nested too deeply"
        case tooManyTokens = "it has too many values"
        case tooLong = "it is too long"
        case invalidValue = "this is no JSON value"
        case outOfMemory = "there is not enough memory"
        case parserFailed = "the parser failed"
    }

    package let reason: Reason
    /// Byte offset in the text; the text's length when it is not known.
    package let position: Int

    package init(_ reason: Reason, at position: Int) {
        self.reason = reason
        self.position = position
    }

    package var description: String { "not JSON: at byte \(position) \(reason.rawValue)" }
}
