using System.Buffers.Binary;
using System.IO.Compression;

namespace Twin.Ingest.Feed;

/// <summary>
/// A gzip file that tells when it is cut short: the framework's stream just ends there. The check is the length that
/// RFC 1952 puts at the end of every member; files of several members are settled by inflating the last one again.
/// </summary>
internal sealed class GzipFile(FileStream raw) : Stream
{
    /// <summary>Places that may begin the last member and are tried; a file with more is called damaged.</summary>
    private const int MaxCandidates = 64;
    private const int HeaderBytes = 10;
    private const int TrailerBytes = 8;

    private readonly GZipStream _inflated = new(raw, CompressionMode.Decompress, leaveOpen: true);
    private long _length;

    public override int Read(byte[] buffer, int offset, int count) => Read(buffer.AsSpan(offset, count));

    /// <exception cref="InvalidDataException">Damaged, or cut short.</exception>
    public override int Read(Span<byte> buffer)
    {
        var n = _inflated.Read(buffer);
        _length += n;
        if (n == 0 && buffer.Length > 0 && !IsWhole()) throw new InvalidDataException("the gzip data is cut short");
        return n;
    }

    private bool IsWhole()
    {
        if (raw.Length < HeaderBytes + TrailerBytes) return false;
        Span<byte> last = stackalloc byte[4];
        raw.Position = raw.Length - 4;
        raw.ReadExactly(last);
        var told = BinaryPrimitives.ReadUInt32LittleEndian(last);
        if (unchecked((uint)_length) == told) return true;
        return LastMemberHas(told);
    }

    private bool LastMemberHas(uint told)
    {
        var window = new byte[(int)Math.Min(raw.Length, 1 << 24)];
        var from = raw.Length - window.Length;
        raw.Position = from;
        raw.ReadExactly(window);
        var end = window.Length;
        for (var tried = 0; tried < MaxCandidates; tried++)
        {
            end = window.AsSpan(0, end).LastIndexOf((ReadOnlySpan<byte>)[0x1F, 0x8B, 0x08]);
            if (end < 0 || from + end == 0) return false;
            if (Inflate(window, end) is { } length && unchecked((uint)length) == told) return true;
        }
        return false;
    }

    private static long? Inflate(byte[] bytes, int from)
    {
        try
        {
            using var member = new GZipStream(new MemoryStream(bytes, from, bytes.Length - from),
                CompressionMode.Decompress);
            var buffer = new byte[1 << 14];
            long length = 0;
            for (int n; (n = member.Read(buffer)) > 0;) length += n;
            return length;
        }
        catch (InvalidDataException)
        {
            return null;
        }
    }

    protected override void Dispose(bool disposing)
    {
        if (disposing)
        {
            _inflated.Dispose();
            raw.Dispose();
        }
        base.Dispose(disposing);
    }

    public override bool CanRead => true;
    public override bool CanSeek => false;
    public override bool CanWrite => false;
    public override long Length => throw new NotSupportedException();
    public override long Position
    {
        get => throw new NotSupportedException();
        set => throw new NotSupportedException();
    }

    public override void Flush() { }
    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();
    public override void SetLength(long value) => throw new NotSupportedException();
    public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();
}
