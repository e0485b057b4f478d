using Twin.Hardware.Wire;
using Twin.Ingest.Feed;
using Twin.Ingest.Text;

namespace Twin.Ingest.Dlms;

/// <summary>A file of frames: how they are marked, and whether it is text or bytes.</summary>
internal sealed record FrameFileKind(LinkKind Link, bool IsText)
{
    public string Describe() => $"DLMS frames in {(IsText ? "hexadecimal" : "binary")}, {Link switch
    {
        LinkKind.Hdlc => "HDLC",
        LinkKind.Mbus => "M-Bus",
        _ => "TCP wrapper",
    }}";
}

/// <summary>Tells files of frames from everything else: their beginning holds at least one sound frame.</summary>
internal static class FrameSniff
{
    /// <summary>Bytes of the file that are looked at.</summary>
    private const int MaxHead = 256 * 1024;

    /// <summary>Null when the file holds no frames.</summary>
    public static FrameFileKind? Look(SourceFile file)
    {
        var head = new byte[MaxHead];
        var n = 0;
        try
        {
            using var stream = file.Open();
            for (int read; n < head.Length && (read = stream.Read(head, n, head.Length - n)) > 0;) n += read;
        }
        catch (Exception e) when (e is InvalidDataException or EndOfStreamException)
        {
            // A damaged gzip: what came before is still worth a look; reading it says where it breaks.
        }
        var bytes = head.AsSpan(0, n);
        return IsText(bytes) ? Best(FromText(file.Path, bytes), true) : Best(bytes, false);
    }

    private static bool IsText(ReadOnlySpan<byte> bytes)
    {
        foreach (var b in bytes)
            if (b < 9 || b is > 13 and < 32) return false;
        return true;
    }

    private static byte[] FromText(string file, ReadOnlySpan<byte> text)
    {
        using var lines = new ByteLines(file, new MemoryStream(text.ToArray()), MaxHead + 1);
        using var bytes = new MemoryStream();
        var buffer = new byte[MaxHead / 2 + 1];
        while (lines.Next(out var line))
            if (HexLines.Read(line, buffer, out var n, out _) == HexLineKind.Bytes) bytes.Write(buffer, 0, n);
        return bytes.ToArray();
    }

    private static FrameFileKind? Best(ReadOnlySpan<byte> bytes, bool isText)
    {
        FrameFileKind? best = null;
        var most = 0;
        foreach (var link in (ReadOnlySpan<LinkKind>)[LinkKind.Hdlc, LinkKind.Mbus, LinkKind.Wrapper])
        {
            var sound = Count(link, bytes);
            if (sound <= most) continue;
            (best, most) = (new FrameFileKind(link, isText), sound);
        }
        return best;
    }

    private static int Count(LinkKind link, ReadOnlySpan<byte> bytes)
    {
        var splitter = new FrameSplitter(link);
        var count = 0;
        while (true)
        {
            while (splitter.TryNext(out var kind, out var frame, out _))
                if (kind == SplitKind.Frame && IsSound(link, frame)) count++;
            if (bytes.IsEmpty) return count;
            bytes = bytes[splitter.Feed(bytes)..];
        }
    }

    // The wrapper has no check sequence: two zero bytes of any file would do. What it carries must be a service.
    private static bool IsSound(LinkKind link, ReadOnlySpan<byte> frame) => link != LinkKind.Wrapper
        || (TcpWrapper.TryRead(frame, out var wrapper, out _) && !wrapper.Apdu.IsEmpty
            && Enum.IsDefined(ApduTags.Of(wrapper.Apdu)) && ApduTags.Of(wrapper.Apdu) != ApduTag.None);
}
