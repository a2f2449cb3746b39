import Foundation

/// The manifests of this repository.
enum Manifests {
    private static let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent()

    /// File name → its documents.
    static func documents(in folder: String) throws -> [String: [YAML]] {
        let files = try FileManager.default.contentsOfDirectory(
            at: root.appending(path: folder), includingPropertiesForKeys: nil)
        let manifests = files.filter { $0.pathExtension == "yaml" }
        return try Dictionary(
            uniqueKeysWithValues: manifests.map { file in
                (file.lastPathComponent, try YAMLReader.documents(of: String(contentsOf: file, encoding: .utf8)))
            })
    }

    /// The only document of that kind in `k8s/`, or that one of several which is called `name`.
    static func deployed(_ kind: String, named name: String? = nil) throws -> YAML? {
        try documents(in: "k8s").values.joined().first {
            $0["kind"]?.text == kind && (name == nil || $0["metadata", "name"]?.text == name)
        }
    }

    static func text(of file: String) throws -> String {
        try String(contentsOf: root.appending(path: file), encoding: .utf8)
    }

    static func exists(_ file: String) -> Bool {
        FileManager.default.fileExists(atPath: root.appending(path: file).path)
    }
}
