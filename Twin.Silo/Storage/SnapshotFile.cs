using System.Globalization;
using System.Security.Cryptography;
using Twin.Grains;
using Twin.Hardware;
using Twin.Hardware.Coding;

namespace Twin.Silo.Storage;

/// <summary>
/// All twins at one journal position, in key order, with a digest at the end. A snapshot is an optimisation: a damaged
/// one is passed over and the journal is applied from an older one or from the start. A base snapshot is kept: readings
/// before it may have been erased.
/// </summary>
internal static class SnapshotFile
{
    private const ulong Magic = 0x31504E5354454D01; // "\x01METSNP1"
    private const int FormatVersion = 1;

    /// <summary>Snapshots kept beside the newest, in case it is damaged.</summary>
    private const int KeepOlder = 1;

    /// <summary>Bytes of one twin; more is a damaged file.</summary>
    private const int MaxTwinBytes = 64 * 1024 * 1024;

    public sealed record Info(string Path, long Position, bool IsBase);

    public static string Write(string folder, long position, int judgingVersion, bool isBase,
        Action<Action<TwinKey, ReadOnlyMemory<byte>>> visitTwins)
    {
        var name = string.Create(CultureInfo.InvariantCulture,
            $"{(isBase ? "base" : "snapshot")}-{position:d18}.twins");
        var path = Path.Combine(folder, name);
        AtomicFile.Write(path, stream =>
        {
            using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
            var buffer = new ByteWriter(1 << 16);
            void Spill()
            {
                hash.AppendData(buffer.Written);
                stream.Write(buffer.Written);
                buffer.Clear();
            }
            buffer.UInt64(Magic);
            buffer.VarUInt(FormatVersion);
            buffer.VarUInt((ulong)judgingVersion);
            buffer.VarUInt((ulong)position);
            visitTwins((key, state) =>
            {
                buffer.Byte((byte)key.Kind);
                buffer.UInt64(key.Id);
                buffer.Blob(state.Span);
                if (buffer.Length > 60_000) Spill();
            });
            buffer.Byte(0);
            Spill();
            stream.Write(hash.GetHashAndReset());
        });
        if (!isBase) Prune(folder);
        return path;
    }

    /// <summary>Snapshots of a folder, newest first.</summary>
    public static IReadOnlyList<Info> List(string folder) =>
    [
        .. Directory.EnumerateFiles(folder, "*.twins")
            .Select(p => (Path: p, Name: Path.GetFileNameWithoutExtension(p)))
            .Select(f => (f.Path, IsBase: f.Name.StartsWith("base-", StringComparison.Ordinal),
                Ok: long.TryParse(f.Name.AsSpan(f.Name.IndexOf('-') + 1), CultureInfo.InvariantCulture, out var p),
                Position: p))
            .Where(f => f.Ok)
            .Select(f => new Info(f.Path, f.Position, f.IsBase))
            .OrderByDescending(f => f.Position).ThenByDescending(f => f.IsBase),
    ];

    private static void Prune(string folder)
    {
        foreach (var old in List(folder).Where(s => !s.IsBase).Skip(1 + KeepOlder)) File.Delete(old.Path);
    }

    /// <summary>
    /// Checks the digest, then hands out every twin; false when the file is damaged or of a judging version that is not
    /// wanted.
    /// </summary>
    public static bool TryRead(Info info, Func<int, bool> isWanted, Action<TwinKey, ReadOnlySpan<byte>> twin,
        out string problem)
    {
        try
        {
            using (var check = File.OpenRead(info.Path))
            {
                if (!DigestMatches(check))
                {
                    problem = $"{info.Path} is damaged (its digest does not match); it is passed over";
                    return false;
                }
            }
            using var stream = new BufferedStream(File.OpenRead(info.Path), 1 << 20);
            return ReadTwins(stream, info, isWanted, twin, out problem);
        }
        catch (Exception e) when (e is IOException or InvalidDataException or UnauthorizedAccessException
            or FormatException)
        {
            problem = $"{info.Path} cannot be read ({e.Message}); it is passed over";
            return false;
        }
    }

    private static bool ReadTwins(Stream stream, Info info, Func<int, bool> isWanted,
        Action<TwinKey, ReadOnlySpan<byte>> twin, out string problem)
    {
        using var reader = new BinaryReader(stream);
        if (reader.ReadUInt64() != Magic) throw new InvalidDataException("it is no snapshot");
        var format = reader.Read7BitEncodedInt();
        var judging = reader.Read7BitEncodedInt();
        var position = reader.Read7BitEncodedInt64();
        problem = format != FormatVersion
            ? $"{info.Path} has snapshot format {format}, this MeterTwin knows {FormatVersion}"
            : !isWanted(judging) ? $"{info.Path} is of judging version {judging}; it is passed over"
            : position != info.Position ? $"{info.Path} is of position {position}, not of its name" : "";
        if (problem.Length > 0) return false;
        var buffer = new byte[4096];
        for (var kind = reader.ReadByte(); kind != 0; kind = reader.ReadByte())
        {
            if (!Enum.IsDefined((TwinKind)kind)) throw new InvalidDataException($"a twin of kind {kind}");
            var key = new TwinKey((TwinKind)kind, reader.ReadUInt64());
            var length = reader.Read7BitEncodedInt();
            if (length is < 0 or > MaxTwinBytes) throw new InvalidDataException($"a twin of {length} bytes");
            if (length > buffer.Length) buffer = new byte[length * 2];
            stream.ReadExactly(buffer, 0, length);
            twin(key, buffer.AsSpan(0, length));
        }
        return true;
    }

    private static bool DigestMatches(FileStream stream)
    {
        const int digestLength = 32;
        if (stream.Length < digestLength) return false;
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        var buffer = new byte[1 << 20];
        for (var left = stream.Length - digestLength; left > 0;)
        {
            var n = stream.Read(buffer, 0, (int)Math.Min(left, buffer.Length));
            if (n == 0) return false;
            hash.AppendData(buffer, 0, n);
            left -= n;
        }
        Span<byte> stored = stackalloc byte[digestLength];
        stream.ReadExactly(stored);
        return hash.GetHashAndReset().AsSpan().SequenceEqual(stored);
    }
}
