using System.Buffers.Binary;
using System.Runtime.CompilerServices;
using System.Text;

namespace Twin.Hardware.Wire;

/// <summary>One piece of COSEM data, on the bytes that it was read from.</summary>
public readonly ref struct CosemItem
{
    public CosemTag Tag { get; init; }

    /// <summary>0 for the outermost data, one more inside each array or structure.</summary>
    public int Depth { get; init; }

    /// <summary>Elements of an array or structure; bits of a bit-string.</summary>
    public int Count { get; init; }

    /// <summary>The bytes of a value without tag and length.</summary>
    public ReadOnlySpan<byte> Content { get; init; }

    /// <summary>Where the tag (in a compact array: the value) begins.</summary>
    public int Offset { get; init; }

    /// <summary>Any whole number, enumeration or truth value that fits 64 signed bits.</summary>
    public bool TryInteger(out long value)
    {
        var c = Content;
        switch (Tag)
        {
            case CosemTag.Boolean: value = c[0] != 0 ? 1 : 0; return true;
            case CosemTag.Enum or CosemTag.Unsigned or CosemTag.Bcd or CosemTag.DeltaUnsigned:
                value = c[0];
                return true;
            case CosemTag.Integer or CosemTag.DeltaInteger: value = unchecked((sbyte)c[0]); return true;
            case CosemTag.Long or CosemTag.DeltaLong: value = BinaryPrimitives.ReadInt16BigEndian(c); return true;
            case CosemTag.LongUnsigned or CosemTag.DeltaLongUnsigned:
                value = BinaryPrimitives.ReadUInt16BigEndian(c);
                return true;
            case CosemTag.DoubleLong or CosemTag.DeltaDoubleLong:
                value = BinaryPrimitives.ReadInt32BigEndian(c);
                return true;
            case CosemTag.DoubleLongUnsigned or CosemTag.DeltaDoubleLongUnsigned:
                value = BinaryPrimitives.ReadUInt32BigEndian(c);
                return true;
            case CosemTag.Long64: value = BinaryPrimitives.ReadInt64BigEndian(c); return true;
            case CosemTag.Long64Unsigned:
                value = unchecked((long)BinaryPrimitives.ReadUInt64BigEndian(c));
                return value >= 0;
            default: value = 0; return false;
        }
    }

    /// <summary>A number of any kind: whole or floating.</summary>
    public bool TryNumber(out double value)
    {
        value = 0;
        if (Tag == CosemTag.Float32) value = BinaryPrimitives.ReadSingleBigEndian(Content);
        else if (Tag == CosemTag.Float64) value = BinaryPrimitives.ReadDoubleBigEndian(Content);
        else if (Tag == CosemTag.Long64Unsigned) value = BinaryPrimitives.ReadUInt64BigEndian(Content);
        else if (TryInteger(out var whole)) value = whole;
        else return false;
        return true;
    }

    /// <summary>A logical name: an octet-string of six bytes.</summary>
    public bool TryObis(out Obis obis)
    {
        obis = default;
        return Tag == CosemTag.OctetString && Obis.TryRead(Content, out obis);
    }

    /// <summary>A date-time: of its own type, or an octet-string of twelve bytes.</summary>
    public bool TryDateTime(out CosemDateTime time)
    {
        time = default;
        return Tag is CosemTag.DateTime or CosemTag.OctetString && CosemDateTime.TryRead(Content, out time, out _);
    }

    /// <summary>
    /// The text of a string type; an octet-string counts when all of it is printable ASCII. Null otherwise.
    /// </summary>
    public string? Text() => Tag switch
    {
        CosemTag.VisibleString or CosemTag.OctetString when !Content.ContainsAnyExceptInRange((byte)' ', (byte)'~') =>
            Encoding.ASCII.GetString(Content),
        CosemTag.Utf8String => Encoding.UTF8.GetString(Content),
        _ => null,
    };
}

/// <summary>
/// Reads one COSEM data in A-XDR, piece by piece in the order of the bytes, without allocation: an array or structure,
/// then its elements. Nesting is bounded by <see cref="MaxDepth"/>, the elements of a container by the bytes that are
/// left (each takes at least one) and all of them by <see cref="MaxItems"/>.
/// </summary>
public ref struct CosemReader
{
    /// <summary>Arrays and structures inside one another; deeper data is refused.</summary>
    public const int MaxDepth = 16;

    /// <summary>Pieces of one data; more are refused.</summary>
    public const int MaxItems = 65_536;

    [InlineArray(MaxDepth)]
    private struct Counts
    {
        private int _first;
    }

    private WireReader _r;
    private Counts _left;
    private int _depth;
    private int _items;
    private bool _done;

    /// <summary>Reads from the first byte; what follows the data stays unread.</summary>
    public CosemReader(ReadOnlySpan<byte> bytes) => _r = new WireReader(bytes);

    public readonly int Position => _r.Position;
    public readonly WireError Error => _r.Error;

    /// <summary>The data has been read whole and well.</summary>
    public readonly bool IsDone => _done && !_r.Failed;

    /// <summary>The next piece; false at the end of the data and on an error.</summary>
    public bool TryNext(out CosemItem item)
    {
        item = default;
        if (_done || _r.Failed) return false;
        if (_items++ >= MaxItems) return _r.Fail(WireCode.TooManyElements);
        var (at, depth) = (_r.Position, _depth);
        var tag = (CosemTag)_r.Byte();
        if (_r.Failed) return false;
        if (depth > 0) _left[depth - 1]--;
        var count = 0;
        ReadOnlySpan<byte> content = default;
        if (tag.IsContainer())
        {
            count = _r.Length();
            if (count > _r.Left) _r.Fail(WireCode.TooManyElements, at);
            else if (count > 0 && depth == MaxDepth) _r.Fail(WireCode.TooDeep, at);
            else if (count > 0) _left[_depth++] = count;
        }
        else
        {
            content = ReadContent(ref _r, tag, at, ref count);
        }
        if (_r.Failed) return false;
        while (_depth > 0 && _left[_depth - 1] == 0) _depth--;
        _done = _depth == 0;
        item = new CosemItem { Tag = tag, Depth = depth, Count = count, Content = content, Offset = at };
        return true;
    }

    /// <summary>The content of a value that is no array or structure, behind its tag.</summary>
    internal static ReadOnlySpan<byte> ReadContent(scoped ref WireReader r, CosemTag tag, int at,
        scoped ref int count)
    {
        var width = tag.Width();
        if (width >= 0)
        {
            var value = r.Bytes(width);
            if (tag == CosemTag.Boolean && !r.Failed && value[0] > 1 && value[0] != 0xFF)
                r.Fail(WireCode.BadValue, at + 1);
            return value;
        }
        if (tag.HasLength()) return r.Octets();
        if (tag == CosemTag.BitString)
        {
            count = r.Length();
            return r.Bytes(count / 8 + (count % 8 != 0 ? 1 : 0));
        }
        if (tag == CosemTag.CompactArray) return CompactArrayReader.Skip(ref r);
        r.Fail(WireCode.UnknownTag, at);
        return default;
    }

    /// <summary>Reads past a piece and all that is inside it. False on an error.</summary>
    public bool TrySkip(in CosemItem container)
    {
        while (!_done && _depth > container.Depth && TryNext(out _))
        {
        }
        return !_r.Failed;
    }

    /// <summary>Reads past one whole data. False when it is damaged.</summary>
    public static bool TrySkip(ReadOnlySpan<byte> bytes, out int length, out WireError error)
    {
        var reader = new CosemReader(bytes);
        while (reader.TryNext(out _))
        {
        }
        (length, error) = (reader.Position, reader.Error);
        return reader.IsDone;
    }
}
