import Glibc

/// What a person sees while something runs: on a terminal a line that is rewritten, else a line every few seconds.
/// Always on stderr, so that stdout stays what a program may read.
package struct Progress: Sendable {
    private let isTerminal = isatty(STDERR_FILENO) == 1
    private var shown = ContinuousClock.now - .seconds(60)

    package init() {}

    /// - Parameter line: made only when it is shown.
    package mutating func show(_ line: @autoclosure () -> String) {
        let now = ContinuousClock.now
        guard now - shown >= (isTerminal ? .milliseconds(100) : .seconds(3)) else { return }
        shown = now
        printError(isTerminal ? "\r\u{1b}[K\(line())" : line(), terminator: isTerminal ? "" : "\n")
    }

    /// Makes room for what is printed now.
    package func clear() { if isTerminal { printError("\r\u{1b}[K", terminator: "") } }

    /// Leaves a last line standing.
    package func end(_ line: String) { printError(isTerminal ? "\r\u{1b}[K\(line)" : line) }

    /// `[#####     ] 50 %`
    package static func bar(_ fraction: Double, width: Int = 24) -> String {
        let filled = Int((min(max(fraction, 0), 1) * Double(width)).rounded())
        let percent = Int((min(max(fraction, 0), 1) * 100).rounded(.down))
        return "[\(String(repeating: "#", count: filled))\(String(repeating: " ", count: width - filled))] \(percent) %"
    }
}

package func printError(_ text: String, terminator: String = "\n") {
    var bytes = Array((text + terminator).utf8)[...]
    while !bytes.isEmpty {
        let count = bytes.withUnsafeBytes { write(STDERR_FILENO, $0.baseAddress, $0.count) }
        if count < 0, errno == EINTR { continue }
        // Nobody is left to be told.
        guard count > 0 else { return }
        bytes = bytes.dropFirst(count)
    }
}

/// `1,234,567`
package func grouped(_ number: some BinaryInteger) -> String {
    let digits = String(Int64(number).magnitude)
    var text = number < 0 ? "-" : ""
    for (index, digit) in digits.enumerated() {
        if index > 0, (digits.count - index) % 3 == 0 { text += "," }
        text.append(digit)
    }
    return text
}
