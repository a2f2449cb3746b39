import CYAML

/// A YAML document as plain values, read by libyaml. Anchors and tags are not used in our manifests, so not known here.
indirect enum YAML: Equatable {
    /// `isPlain`: written without quotes, so that `1` and `true` are not strings.
    case scalar(String, isPlain: Bool)
    case list([YAML])
    case map([String: YAML])

    subscript(_ path: String...) -> YAML? {
        path.reduce(self) { value, key in
            guard case .map(let fields)? = value else { return nil }
            return fields[key]
        }
    }

    var text: String? {
        if case .scalar(let text, _) = self { text } else { nil }
    }

    var list: [YAML]? {
        if case .list(let items) = self { items } else { nil }
    }
}

struct YAMLError: Error, CustomStringConvertible {
    let description: String
}

/// Reads all documents of a text.
struct YAMLReader: ~Copyable {
    /// On the heap, for it holds its own address.
    private let parser = UnsafeMutablePointer<yaml_parser_t>.allocate(capacity: 1)
    private let text: [UInt8]

    static func documents(of text: String) throws -> [YAML] {
        try YAMLReader(text).read()
    }

    private init(_ text: String) {
        self.text = Array(text.utf8)
        yaml_parser_initialize(parser)
    }

    deinit {
        yaml_parser_delete(parser)
        parser.deallocate()
    }

    private func read() throws -> [YAML] {
        var documents: [YAML] = []
        try text.withUnsafeBufferPointer { bytes in
            yaml_parser_set_input_string(parser, bytes.baseAddress, bytes.count)
            var event = try next()
            while event.kind != YAML_STREAM_END_EVENT {
                if event.kind == YAML_DOCUMENT_START_EVENT { documents.append(try value(try next())) }
                event = try next()
            }
        }
        return documents
    }

    private struct Event {
        let kind: yaml_event_type_t
        var scalar: YAML?
    }

    private func next() throws -> Event {
        var event = yaml_event_t()
        guard yaml_parser_parse(parser, &event) == 1 else {
            let problem = parser.pointee.problem.map { String(cString: $0) } ?? "not YAML"
            throw YAMLError(description: "line \(parser.pointee.problem_mark.line + 1): \(problem)")
        }
        defer { yaml_event_delete(&event) }
        guard event.type == YAML_SCALAR_EVENT else { return Event(kind: event.type) }
        let scalar = event.data.scalar
        let text = String(decoding: UnsafeBufferPointer(start: scalar.value, count: scalar.length), as: UTF8.self)
        return Event(kind: event.type, scalar: .scalar(text, isPlain: scalar.style == YAML_PLAIN_SCALAR_STYLE))
    }

    private func value(_ first: Event) throws -> YAML {
        if let scalar = first.scalar { return scalar }
        switch first.kind {
        case YAML_SEQUENCE_START_EVENT: return try sequence()
        case YAML_MAPPING_START_EVENT: return try mapping()
        default: throw YAMLError(description: "line \(parser.pointee.mark.line + 1): no value")
        }
    }

    private func sequence() throws -> YAML {
        var items: [YAML] = []
        var event = try next()
        while event.kind != YAML_SEQUENCE_END_EVENT {
            items.append(try value(event))
            event = try next()
        }
        return .list(items)
    }

    private func mapping() throws -> YAML {
        var fields: [String: YAML] = [:]
        var event = try next()
        while event.kind != YAML_MAPPING_END_EVENT {
            guard let key = event.scalar?.text else {
                throw YAMLError(description: "line \(parser.pointee.mark.line + 1): a key must be text")
            }
            let value = try value(try next())
            guard fields.updateValue(value, forKey: key) == nil else {
                throw YAMLError(description: "line \(parser.pointee.mark.line + 1): \(key) stands twice")
            }
            event = try next()
        }
        return .map(fields)
    }
}
