import Foundation
import Web

/// The files under `web/`, served as they are. They are few and read when asked for, so that an edit shows at once.
struct StaticPages {
    private let root: String?

    private static let types = [
        "html": "text/html; charset=utf-8", "js": "text/javascript; charset=utf-8", "css": "text/css; charset=utf-8",
        "svg": "image/svg+xml", "png": "image/png", "json": "application/json", "ico": "image/x-icon",
    ]

    /// - Parameter root: a directory; looked for in the working directory, then beside and above the program.
    init(root: String) {
        let program = URL(fileURLWithPath: CommandLine.arguments.first ?? "").resolvingSymlinksInPath()
        var places = [URL(fileURLWithPath: root)]
        var folder = program.deletingLastPathComponent()
        for _ in 0..<5 {
            places.append(folder.appendingPathComponent(root))
            folder = folder.deletingLastPathComponent()
        }
        self.root = places.map(\.path).first { FileManager.default.fileExists(atPath: $0 + "/index.html") }
    }

    func response(for path: String) -> HTTPResponse {
        guard let root else {
            return .failure(404, "no_page", "there is no page here: start the node with --web-root DIRECTORY")
        }
        let name = path == "/" ? "index.html" : String(path.dropFirst())
        let parts = name.split(separator: "/")
        // A path is made of plain names only: nothing leads out of the root.
        guard !parts.isEmpty, parts.allSatisfy({ $0.first != "." && !$0.contains("\0") }) else { return missing(path) }
        let type = name.split(separator: ".").last.flatMap { StaticPages.types[String($0)] }
        guard let type, let data = FileManager.default.contents(atPath: "\(root)/\(parts.joined(separator: "/"))")
        else { return missing(path) }
        return HTTPResponse(
            status: 200, headers: [("content-type", type), ("cache-control", "no-cache")], body: Array(data))
    }

    private func missing(_ path: String) -> HTTPResponse {
        .failure(404, "not_found", "there is nothing at \(path)")
    }
}
