import Glibc

/// A file of settings, one `name=value` a line; lines that are blank or begin with `#` or `!` say nothing.
enum PropertiesFile {
    private static let bytesMax = 1 << 20

    static func read(_ path: String) throws(KafkaError) -> [(name: String, value: String)] {
        try parse(String(decoding: try bytes(path), as: UTF8.self), path: path)
    }

    static func parse(_ text: String, path: String) throws(KafkaError) -> [(name: String, value: String)] {
        var settings: [(name: String, value: String)] = []
        for (index, line) in text.split(omittingEmptySubsequences: false, whereSeparator: \.isNewline).enumerated() {
            let line = line.trimmed
            guard let first = line.first, first != "#", first != "!" else { continue }
            guard let equals = line.firstIndex(of: "="), equals > line.startIndex else {
                throw .propertiesFile(path: path, reason: "line \(index + 1) must have the form name=value")
            }
            settings.append((String(line[..<equals].trimmed), String(line[line.index(after: equals)...].trimmed)))
        }
        return settings
    }

    private static func bytes(_ path: String) throws(KafkaError) -> [UInt8] {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { throw .propertiesFile(path: path, reason: String(cString: strerror(errno))) }
        defer { close(descriptor) }
        var bytes = [UInt8](repeating: 0, count: bytesMax)
        var count = 0
        while count < bytes.count {
            let read = bytes[count...].withUnsafeMutableBytes { Glibc.read(descriptor, $0.baseAddress, $0.count) }
            guard read >= 0 else { throw .propertiesFile(path: path, reason: String(cString: strerror(errno))) }
            if read == 0 { return Array(bytes.prefix(count)) }
            count += read
        }
        throw .propertiesFile(path: path, reason: "is larger than \(bytesMax) bytes")
    }
}

extension Substring {
    fileprivate var trimmed: Substring {
        var text = self
        while let first = text.first, first.isWhitespace { text.removeFirst() }
        while let last = text.last, last.isWhitespace { text.removeLast() }
        return text
    }
}
