using System.Globalization;
using Twin.Hardware.Wire;

namespace Twin.Hardware.Tests.Wire;

/// <summary>Recorded telegrams of real meters, where the shared data lie beside the repository.</summary>
internal static class Telegrams
{
    /// <summary>The folder of the telegrams, or null when the data are not there.</summary>
    public static string? Folder { get; } = Find();

    public const string Absent = "Not run: ../shared/data/telegrams is not there.";

    private static string? Find()
    {
        var root = new DirectoryInfo(AppContext.BaseDirectory);
        while (root is not null && !File.Exists(Path.Combine(root.FullName, "MeterTwin.sln"))) root = root.Parent;
        var folder = root is null ? null : Path.Combine(root.FullName, "..", "shared", "data", "telegrams");
        return Directory.Exists(folder) ? folder : null;
    }

    public static string Dump(string name) => Path.Combine(Folder!, "dlms_dumps", name);

    /// <summary>
    /// The bytes of a log of hexadecimal pairs with blanks or colons between. Lines that hold anything else (stamps,
    /// messages of the logger) are left out, and told.
    /// </summary>
    public static byte[] ReadHex(string path, out int otherLines)
    {
        var bytes = new List<byte>();
        otherLines = 0;
        foreach (var line in File.ReadLines(path))
        {
            var digits = line.Trim('\uFEFF', ' ', '\t').Replace(" ", "").Replace(":", "");
            if (digits.Length % 2 == 0 && digits.All(char.IsAsciiHexDigit))
                bytes.AddRange(Convert.FromHexString(digits));
            else otherLines++;
        }
        return [.. bytes];
    }

    /// <summary>What a splitter finds in a stream: frames and rejected candidates.</summary>
    public static (List<byte[]> Frames, List<WireError> Rejected, int NoiseBytes) Split(LinkKind link, byte[] stream,
        int piece = 4096)
    {
        var splitter = new FrameSplitter(link);
        var (frames, rejected, noise, at) = (new List<byte[]>(), new List<WireError>(), 0, 0);
        while (true)
        {
            while (splitter.TryNext(out var kind, out var bytes, out var error))
            {
                if (kind == SplitKind.Frame) frames.Add(bytes.ToArray());
                else if (kind == SplitKind.Rejected) rejected.Add(error);
                else noise += bytes.Length;
            }
            if (at == stream.Length && splitter.Held == 0) return (frames, rejected, noise);
            at += splitter.Feed(stream.AsSpan(at, Math.Min(piece, stream.Length - at)));
            if (at == stream.Length) splitter.Finish();
        }
    }

    public static byte[] Hex(string digits) => Convert.FromHexString(digits.Replace(" ", "").Replace("\n", ""));

    public static uint Number(string digits) =>
        uint.Parse(digits, NumberStyles.HexNumber, CultureInfo.InvariantCulture);
}
