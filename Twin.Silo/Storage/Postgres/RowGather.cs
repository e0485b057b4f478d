using System.Globalization;
using Npgsql;
using NpgsqlTypes;

namespace Twin.Silo.Storage.Postgres;

/// <summary>
/// Rows for one table, kept by column, and the one statement that stores them all: an array a column. The statement's
/// text does not depend on the number of rows, so it stays prepared.
/// </summary>
internal sealed class RowGather
{
    /// <summary>What a row costs beside its bytes, for the bound on what is gathered.</summary>
    private const int RowBytes = 64;

    private readonly JournalTable _table;
    private readonly List<long>?[] _integers;
    private readonly List<byte[]>?[] _bytes;
    private readonly List<string>?[] _texts;
    private readonly string _sql;

    /// <summary>Row of each key: a statement cannot replace a row twice, so the later takes its place here.</summary>
    private readonly Dictionary<string, int>? _byKey;

    private int _rows;

    public RowGather(JournalTable table)
    {
        _table = table;
        _integers = new List<long>?[table.Columns.Length];
        _bytes = new List<byte[]>?[table.Columns.Length];
        _texts = new List<string>?[table.Columns.Length];
        for (var i = 0; i < table.Columns.Length; i++)
        {
            if (table.Columns[i].Cell == Cell.Integer) _integers[i] = [];
            else if (table.Columns[i].Cell == Cell.Bytes) _bytes[i] = [];
            else _texts[i] = [];
        }
        if (table.OnRepeat == OnRepeat.Replace) _byKey = [];
        _sql = Statement(table);
    }

    private static string Statement(JournalTable table)
    {
        var arrays = table.Columns.Select((c, i) => $"${i + 1}::{TypeOf(c.Cell)}[]");
        var sql = $"INSERT INTO {table.Name}({table.Names()}) SELECT * FROM unnest({string.Join(',', arrays)})";
        var key = string.Join(',', table.Columns.Take(table.KeyColumns).Select(c => c.Name));
        var others = table.Columns.Skip(table.KeyColumns).Select(c => $"{c.Name}=excluded.{c.Name}");
        return table.OnRepeat switch
        {
            OnRepeat.Replace => $"{sql} ON CONFLICT ({key}) DO UPDATE SET {string.Join(',', others)}",
            OnRepeat.Keep => $"{sql} ON CONFLICT DO NOTHING",
            _ => sql,
        };
    }

    private static string TypeOf(Cell cell) =>
        cell switch { Cell.Integer => "bigint", Cell.Bytes => "bytea", _ => "text" };

    /// <summary>Adds a row, or puts it in the place of one with its key; about the bytes that it takes.</summary>
    public int Add(ReadOnlySpan<object> values)
    {
        var row = _rows;
        if (_byKey is not null)
        {
            var key = KeyOf(values);
            if (!_byKey.TryAdd(key, row)) row = _byKey[key];
        }
        var size = RowBytes;
        for (var i = 0; i < values.Length; i++)
        {
            if (_integers[i] is { } integers)
                Put(integers, row, Convert.ToInt64(values[i], CultureInfo.InvariantCulture));
            else if (_bytes[i] is { } bytes)
            {
                Put(bytes, row, (byte[])values[i]);
                size += bytes[row].Length;
            }
            else Put(_texts[i]!, row, (string)values[i]);
        }
        if (row == _rows) _rows++;
        return size;
    }

    private static void Put<T>(List<T> column, int row, T value)
    {
        if (row == column.Count) column.Add(value);
        else column[row] = value;
    }

    private string KeyOf(ReadOnlySpan<object> values)
    {
        var parts = new string[_table.KeyColumns];
        for (var i = 0; i < parts.Length; i++)
            parts[i] = Convert.ToString(values[i], CultureInfo.InvariantCulture)!;
        return string.Join(' ', parts);
    }

    /// <summary>The statement with all rows, which leave; null when there are none.</summary>
    public NpgsqlBatchCommand? Take()
    {
        if (_rows == 0) return null;
        var command = new NpgsqlBatchCommand(_sql);
        for (var i = 0; i < _table.Columns.Length; i++)
        {
            var type = _table.Columns[i].Cell switch
            {
                Cell.Integer => NpgsqlDbType.Bigint,
                Cell.Bytes => NpgsqlDbType.Bytea,
                _ => NpgsqlDbType.Text,
            };
            object values = (object?)_integers[i]?.ToArray() ?? (object?)_bytes[i]?.ToArray() ?? _texts[i]!.ToArray();
            command.Parameters.Add(new NpgsqlParameter { NpgsqlDbType = NpgsqlDbType.Array | type, Value = values });
            _integers[i]?.Clear();
            _bytes[i]?.Clear();
            _texts[i]?.Clear();
        }
        _byKey?.Clear();
        _rows = 0;
        return command;
    }
}
