using Twin.Hardware.Coding;

namespace Twin.Ingest.Blocks;

/// <summary>A sorted stream of encoded inputs. <see cref="Payload"/> is valid until the next
/// <see cref="Next"/>.</summary>
public abstract class SortedRun : IDisposable
{
    public abstract SortKey Key { get; }
    public abstract ReadOnlySpan<byte> Payload { get; }
    public abstract bool Next();
    public virtual void Dispose() { }
}

/// <summary>A run on disk, read through one buffer.</summary>
internal sealed class FileRun(string path) : SortedRun
{
    private const int MaxHeadBytes = 48;

    private readonly FileStream _stream = new(path, FileMode.Open, FileAccess.Read, FileShare.Read, 1);
    private byte[] _buffer = new byte[1 << 16];
    private int _from;
    private int _to;
    private int _payload;
    private int _length;

    public override SortKey Key => _key;
    private SortKey _key;

    public override ReadOnlySpan<byte> Payload => _buffer.AsSpan(_payload, _length);

    public override bool Next()
    {
        Ensure(MaxHeadBytes);
        if (_from == _to) return false;
        var r = new ByteReader(_buffer.AsSpan(_from, _to - _from));
        _key = new SortKey((int)r.VarInt(), r.UInt64(), r.Byte(), r.VarInt(), r.VarInt());
        _length = r.Count(int.MaxValue);
        _from += r.Position;
        Ensure(_length);
        if (_to - _from < _length)
            throw new InvalidDataException($"{path} ends in the middle of an input. Run the replay again.");
        _payload = _from;
        _from += _length;
        return true;
    }

    private void Ensure(int bytes)
    {
        if (_to - _from >= bytes) return;
        _buffer.AsSpan(_from, _to - _from).CopyTo(_buffer);
        (_from, _to) = (0, _to - _from);
        if (_buffer.Length < bytes) Array.Resize(ref _buffer, bytes * 2);
        while (_to < bytes)
        {
            var n = _stream.Read(_buffer, _to, _buffer.Length - _to);
            if (n == 0) return;
            _to += n;
        }
    }

    public override void Dispose() => _stream.Dispose();
}

/// <summary>Merge of sorted runs by a binary heap of their heads.</summary>
internal sealed class MergedRun : SortedRun
{
    private readonly PriorityQueue<SortedRun, SortKey> _heads = new();
    private readonly SortedRun[] _all;
    private SortedRun? _current;

    public MergedRun(SortedRun[] runs)
    {
        _all = runs;
        foreach (var run in runs)
            if (run.Next()) _heads.Enqueue(run, run.Key);
    }

    public override SortKey Key => _current!.Key;
    public override ReadOnlySpan<byte> Payload => _current!.Payload;

    public override bool Next()
    {
        // The run just read gives way to its own next head; often it is the smallest again.
        if (_current is { } last)
        {
            if (!last.Next()) _current = null;
            else if (_heads.Count == 0 || !_heads.TryPeek(out _, out var best)
                || last.Key.CompareTo(best) < 0) return true;
            else
            {
                _current = _heads.DequeueEnqueue(last, last.Key);
                return true;
            }
        }
        return _heads.TryDequeue(out _current, out _);
    }

    public override void Dispose()
    {
        foreach (var run in _all) run.Dispose();
    }
}
