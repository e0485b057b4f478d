using Twin.Grains;
using Twin.Hardware;

namespace Twin.Silo.Mirror;

/// <summary>
/// What the journal holds behind a position, as much as fits: read in a view of its own that is closed before anything
/// is sent, so that a server that is slow or away never keeps one open.
/// </summary>
internal sealed class JournalPage
{
    /// <summary>Bytes of inputs held, about ten million readings; inputs looked at, also those that are passed over.
    /// </summary>
    public const int MaxBytes = 16 * 1024 * 1024, MaxInputs = 1_000_000;

    private byte[] _bytes = new byte[64 * 1024];
    private int _used;
    private readonly List<(long Position, int Offset, int Length)> _items = [];

    /// <summary>Everything up to here is in the page, or no business of a mirror.</summary>
    public long Through { get; private set; }

    public int Count => _items.Count;

    public long PositionOf(int index) => _items[index].Position;

    public ReadOnlySpan<byte> this[int index] => _bytes.AsSpan(_items[index].Offset, _items[index].Length);

    public void Read(IJournal journal, long after, int maxBytes)
    {
        (_used, Through) = (0, after);
        _items.Clear();
        var seen = 0;
        journal.ReadUntil(after, (position, input) =>
        {
            if (Envelope.Read(input).Kind is InputKind.ReadingBlock or InputKind.Erasure) Keep(position, input);
            Through = position;
            return ++seen < MaxInputs && _used < maxBytes;
        });
    }

    private void Keep(long position, ReadOnlySpan<byte> input)
    {
        if (_bytes.Length - _used < input.Length)
            Array.Resize(ref _bytes, Math.Max(_bytes.Length * 2, _used + input.Length));
        input.CopyTo(_bytes.AsSpan(_used));
        _items.Add((position, _used, input.Length));
        _used += input.Length;
    }
}
