using System.Text;
using System.Text.Json;
using Twin.Ingest.Profiles;

namespace Twin.Ingest.Readers;

/// <summary>
/// A JSON array of flat records, streamed record by record. Texts are taken as written: an escape in an id stays an
/// escape. A file that breaks in the middle keeps what came before;
/// <see cref="Damage"/> says where it broke.
/// </summary>
internal sealed class JsonRecords(Stream stream, string[] names)
{
    /// <summary>Bytes of one record; a longer one is damage.</summary>
    private const int MaxRecordBytes = 1 << 20;

    private readonly byte[][] _names = [.. names.Select(Encoding.UTF8.GetBytes)];
    private readonly Range[] _fields = new Range[names.Length];
    private byte[] _buffer = new byte[1 << 17];
    private int _from;
    private int _to;
    private bool _ended;
    private bool _opened;
    private long _line = 1;
    private int _column = 1;

    public string? Damage { get; private set; }
    public long RecordLine { get; private set; }

    /// <summary>Characters before the record in its line.</summary>
    public int RecordColumn { get; private set; }

    /// <summary>The names' values in the record: ranges of <paramref name="text"/>, empty where absent or
    /// null.</summary>
    public ReadOnlySpan<Range> Fields => _fields;

    public bool Next(out ReadOnlySpan<byte> text)
    {
        text = default;
        if (!ToRecord()) return false;
        (RecordLine, RecordColumn) = (_line, _column - 1);
        while (true)
        {
            try
            {
                if (TryRecord(out var length))
                {
                    text = _buffer.AsSpan(_from, length);
                    Advance(length);
                    return true;
                }
            }
            catch (JsonException e)
            {
                return Broken($"record at line {_line} column {_column} is malformed: {e.Message}");
            }
            if (_ended) return Broken($"the file breaks off in the record at line {_line} column {_column}");
            if (_to - _from >= MaxRecordBytes)
                return Broken($"the record at line {_line} column {_column} is longer than {MaxRecordBytes} bytes");
            Fill();
        }
    }

    private bool Broken(string why)
    {
        Damage ??= why;
        return false;
    }

    // Skips the array's bracket, blanks and commas up to the next record; false at the end.
    private bool ToRecord()
    {
        while (true)
        {
            if (_from == _to)
            {
                if (_ended) return Broken("the file breaks off before the end of its array");
                Fill();
                continue;
            }
            var b = _buffer[_from];
            if (b == '{') return _opened || Broken("the records stand in no array");
            if (b == ']' && _opened) return false;
            if (b == '[' && !_opened) _opened = true;
            else if (!" \t\r\n,\uFEFF"u8.Contains(b))
                return Broken($"line {_line} column {_column} holds '{(char)b}' where a record should begin");
            Advance(1);
        }
    }

    private bool TryRecord(out int length)
    {
        length = 0;
        var reader = new Utf8JsonReader(_buffer.AsSpan(_from, _to - _from), isFinalBlock: false, default);
        Array.Clear(_fields);
        if (!reader.Read()) return false;
        while (true)
        {
            if (!reader.Read()) return false;
            if (reader.TokenType == JsonTokenType.EndObject)
            {
                length = (int)reader.BytesConsumed;
                return true;
            }
            var field = -1;
            for (var i = 0; i < _names.Length && field < 0; i++)
                if (reader.ValueTextEquals(_names[i])) field = i;
            if (!reader.Read()) return false;
            var start = (int)reader.TokenStartIndex;
            if (reader.TokenType is JsonTokenType.StartArray or JsonTokenType.StartObject
                && !reader.TrySkip()) return false;
            if (field < 0 || reader.TokenType == JsonTokenType.Null) continue;
            if (reader.TokenType != JsonTokenType.String) _fields[field] = start..(int)reader.BytesConsumed;
            else _fields[field] = (start + 1)..((int)reader.BytesConsumed - 1);
        }
    }

    private void Advance(int count)
    {
        foreach (var b in _buffer.AsSpan(_from, count))
        {
            if (b == '\n') (_line, _column) = (_line + 1, 1);
            else if ((b & 0xC0) != 0x80) _column++;
        }
        _from += count;
    }

    private void Fill()
    {
        if (_from > 0)
        {
            _buffer.AsSpan(_from, _to - _from).CopyTo(_buffer);
            (_from, _to) = (0, _to - _from);
        }
        if (_to == _buffer.Length) Array.Resize(ref _buffer, _buffer.Length * 2);
        try
        {
            var n = stream.Read(_buffer, _to, _buffer.Length - _to);
            _to += n;
            _ended = n == 0;
        }
        catch (Exception e) when (e is InvalidDataException or EndOfStreamException)
        {
            _ended = true;
            Damage = $"the file breaks off at line {_line} column {_column}: {e.Message}";
        }
    }

    /// <summary>Reads a whole file; returns its damage, null for none.</summary>
    public static string? ReadFile(RowContext context, Profile profile, int? intervalMinutes, Stream stream)
    {
        string[] names =
        [
            .. profile.TimeColumns, .. profile.Values.Select(static v => v.Column),
            .. profile.Id.Source == IdSource.Column ? [profile.Id.Text] : Array.Empty<string>(),
            .. new[] { profile.IntervalColumn, profile.Quality?.Column, profile.Register?.Column }.OfType<string>(),
        ];
        names = [.. names.Distinct()];
        var rows = new RowProcessor(context, profile, intervalMinutes, n => Array.IndexOf(names, n),
            n => Array.IndexOf(names, n));
        var records = new JsonRecords(stream, names);
        while (records.Next(out var text))
        {
            context.CountRow(4);
            rows.ColumnBase = records.RecordColumn;
            rows.Row(records.RecordLine, text, records.Fields);
        }
        rows.Finish();
        return records.Damage;
    }
}
