using System.Runtime.CompilerServices;

namespace Twin.Hardware.Wire;

/// <summary>
/// Reads a compact-array (IEC 62056-62): the type of an element once, then the values of all elements without tags. The
/// pieces come as those of an array that was sent long-hand, at depths from 0 for an element. Bounded: a type has at
/// most <see cref="MaxTypeNodes"/> nodes nested to <see cref="CosemReader.MaxDepth"/>, and an element that takes no
/// byte is refused.
/// </summary>
public ref struct CompactArrayReader
{
    /// <summary>Types in the description of an element; more are refused.</summary>
    public const int MaxTypeNodes = 64;

    private struct Node
    {
        public CosemTag Tag;
        public ushort Count;
        /// <summary>The node behind this one and all that is inside it.</summary>
        public byte After;
    }

    [InlineArray(MaxTypeNodes)]
    private struct Nodes
    {
        private Node _first;
    }

    private struct Level
    {
        public byte Node;
        public int Left;
        public bool IsArray;
    }

    [InlineArray(CosemReader.MaxDepth)]
    private struct Levels
    {
        private Level _first;
    }

    private WireReader _r;
    private Nodes _nodes;
    private Levels _levels;
    private int _depth, _items, _rowStart;

    /// <summary>Opens the content of a <see cref="CosemTag.CompactArray"/> item.</summary>
    public CompactArrayReader(ReadOnlySpan<byte> content)
    {
        _r = new WireReader(content);
        var count = 0;
        ReadType(ref _r, ref _nodes, ref count, 0);
        var length = _r.Length();
        if (!_r.Failed && length != _r.Left) _r.Fail(length > _r.Left ? WireCode.Truncated : WireCode.TrailingBytes);
        _rowStart = -1;
    }

    public readonly WireError Error => _r.Error;

    /// <summary>Takes description and contents off a reader, for what reads around the array.</summary>
    internal static ReadOnlySpan<byte> Skip(scoped ref WireReader r)
    {
        var look = r;
        var start = r.Position;
        var nodes = default(Nodes);
        var count = 0;
        ReadType(ref look, ref nodes, ref count, 0);
        look.Octets();
        if (look.Failed)
        {
            r = look;
            return default;
        }
        return r.Bytes(look.Position - start);
    }

    private static void ReadType(ref WireReader r, ref Nodes nodes, ref int count, int depth)
    {
        var at = r.Position;
        var tag = (CosemTag)r.Byte();
        if (r.Failed) return;
        if (count == MaxTypeNodes || depth > CosemReader.MaxDepth)
        {
            r.Fail(count == MaxTypeNodes ? WireCode.TooManyElements : WireCode.TooDeep, at);
            return;
        }
        var index = count++;
        nodes[index].Tag = tag;
        if (tag == CosemTag.Array)
        {
            nodes[index].Count = r.UInt16();
            ReadType(ref r, ref nodes, ref count, depth + 1);
        }
        else if (tag == CosemTag.Structure)
        {
            var members = r.Length();
            if (members > MaxTypeNodes) r.Fail(WireCode.TooManyElements, at);
            for (var i = 0; i < members && !r.Failed; i++) ReadType(ref r, ref nodes, ref count, depth + 1);
            nodes[index].Count = (ushort)Math.Min(members, MaxTypeNodes);
        }
        else if (tag == CosemTag.CompactArray || tag.Width() < 0 && !tag.HasLength() && tag != CosemTag.BitString)
        {
            r.Fail(WireCode.UnknownTag, at);
        }
        nodes[index].After = (byte)count;
    }

    /// <summary>The next piece; false at the end and on an error.</summary>
    public bool TryNext(out CosemItem item)
    {
        item = default;
        if (_r.Failed) return false;
        if (_depth == 0)
        {
            if (_r.Position == _rowStart) return _r.Fail(WireCode.BadValue);
            if (_r.Left == 0) return false;
            _rowStart = _r.Position;
        }
        if (_items++ >= CosemReader.MaxItems) return _r.Fail(WireCode.TooManyElements);
        var (at, depth) = (_r.Position, _depth);
        var index = 0;
        if (depth > 0)
        {
            ref var level = ref _levels[depth - 1];
            index = level.Node;
            level.Left--;
            if (!level.IsArray) level.Node = _nodes[index].After;
        }
        var (tag, count) = (_nodes[index].Tag, 0);
        ReadOnlySpan<byte> content = default;
        if (tag.IsContainer())
        {
            count = _nodes[index].Count;
            if (count > 0 && depth == CosemReader.MaxDepth) return _r.Fail(WireCode.TooDeep);
            if (count > 0)
                _levels[_depth++] = new Level
                { Node = (byte)(index + 1), Left = count, IsArray = tag == CosemTag.Array };
        }
        else
        {
            content = CosemReader.ReadContent(ref _r, tag, at, ref count);
        }
        if (_r.Failed) return false;
        while (_depth > 0 && _levels[_depth - 1].Left == 0) _depth--;
        item = new CosemItem { Tag = tag, Depth = depth, Count = count, Content = content, Offset = at };
        return true;
    }
}
