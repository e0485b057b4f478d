namespace Twin.Silo.Storage;

/// <summary>What becomes of a row whose key is there already.</summary>
internal enum OnRepeat
{
    /// <summary>An error: it was said to be new.</summary>
    Refuse,

    /// <summary>The later row takes its place.</summary>
    Replace,

    /// <summary>The row that is there stays.</summary>
    Keep,
}

/// <summary>How a column is stored: 64-bit integer, bytes, or text.</summary>
internal enum Cell { Integer, Bytes, Text }

/// <summary>
/// A table that takes rows in bulk, the same in every database: its columns in the order in which values are given, and
/// the key, which is the first <see cref="KeyColumns"/> of them.
/// </summary>
internal sealed record JournalTable(int Number, string Name, int KeyColumns, OnRepeat OnRepeat,
    params (string Name, Cell Cell)[] Columns)
{
    public static readonly JournalTable Batch = new(0, "batch", 1, OnRepeat.Replace, ("last", Cell.Integer),
        ("before", Cell.Integer), ("min_day", Cell.Integer), ("max_day", Cell.Integer), ("items", Cell.Bytes),
        ("digest", Cell.Bytes));

    public static readonly JournalTable Kept = new(1, "kept", 1, OnRepeat.Refuse, ("position", Cell.Integer),
        ("kind", Cell.Integer), ("twin", Cell.Integer), ("input", Cell.Bytes), ("digest", Cell.Bytes));

    /// <summary>The database numbers the rows.</summary>
    public static readonly JournalTable Segment = new(2, "segment", 0, OnRepeat.Refuse, ("from_day", Cell.Integer),
        ("days", Cell.Integer), ("first", Cell.Integer), ("last", Cell.Integer), ("min_position", Cell.Integer),
        ("max_position", Cell.Integer), ("body", Cell.Bytes), ("digest", Cell.Bytes));

    /// <summary>The database numbers the rows.</summary>
    public static readonly JournalTable Frequent = new(3, "frequent", 0, OnRepeat.Refuse, ("level", Cell.Integer),
        ("run", Cell.Integer), ("first", Cell.Integer), ("last", Cell.Integer), ("min_position", Cell.Integer),
        ("max_position", Cell.Integer), ("body", Cell.Bytes), ("digest", Cell.Bytes));

    public static readonly JournalTable Publication = new(4, "publication", 3, OnRepeat.Replace,
        ("kind", Cell.Integer), ("twin", Cell.Integer), ("day", Cell.Integer), ("body", Cell.Bytes));

    public static readonly JournalTable Closed = new(5, "closed", 1, OnRepeat.Replace, ("day", Cell.Integer),
        ("position", Cell.Integer));

    public static readonly JournalTable Checkpoint = new(6, "checkpoint", 3, OnRepeat.Replace,
        ("kind", Cell.Integer), ("twin", Cell.Integer), ("day", Cell.Integer), ("position", Cell.Integer),
        ("judging", Cell.Integer), ("state", Cell.Bytes));

    public static readonly JournalTable Content = new(7, "content", 1, OnRepeat.Keep, ("key", Cell.Bytes));

    public static readonly JournalTable Finding = new(8, "finding", 1, OnRepeat.Replace, ("id", Cell.Text),
        ("kind", Cell.Integer), ("twin", Cell.Integer), ("finding", Cell.Integer), ("from_s", Cell.Integer),
        ("detected_s", Cell.Integer), ("position", Cell.Integer), ("body", Cell.Bytes));

    public static readonly JournalTable Erasing = new(9, "erasing", 1, OnRepeat.Refuse, ("position", Cell.Integer));

    public static readonly JournalTable Ledger = new(10, "ledger", 1, OnRepeat.Refuse, ("number", Cell.Integer),
        ("position", Cell.Integer), ("kind", Cell.Integer), ("case_kind", Cell.Integer), ("case_id", Cell.Integer),
        ("at_s", Cell.Integer), ("body", Cell.Bytes), ("hash", Cell.Bytes), ("digest", Cell.Bytes));

    public static readonly JournalTable Case = new(11, "casefile", 2, OnRepeat.Replace, ("id", Cell.Integer),
        ("number", Cell.Integer), ("subject_kind", Cell.Integer), ("subject", Cell.Integer), ("desk", Cell.Integer),
        ("state", Cell.Integer), ("handling", Cell.Integer), ("queued", Cell.Integer), ("changed_s", Cell.Integer),
        ("body", Cell.Bytes));

    public static readonly JournalTable CaseFind = new(12, "casefind", 2, OnRepeat.Replace, ("id", Cell.Integer),
        ("number", Cell.Integer), ("changed_s", Cell.Integer), ("opened_s", Cell.Integer), ("queued", Cell.Integer),
        ("desk", Cell.Integer), ("state", Cell.Integer), ("handling", Cell.Integer), ("disposition", Cell.Integer),
        ("severity", Cell.Integer), ("subject_kind", Cell.Integer), ("subject", Cell.Integer), ("region", Cell.Text),
        ("feeder", Cell.Text), ("assignee", Cell.Text), ("kinds", Cell.Text), ("words", Cell.Text));

    public static readonly JournalTable Reply = new(13, "reply", 2, OnRepeat.Replace, ("id", Cell.Integer),
        ("number", Cell.Integer), ("state", Cell.Integer), ("waits", Cell.Integer), ("subject_kind", Cell.Integer),
        ("subject", Cell.Integer), ("proposed_s", Cell.Integer), ("region", Cell.Text), ("body", Cell.Bytes));

    /// <summary>How many there are; <see cref="Number"/> is below it.</summary>
    public const int Count = 14;

    /// <summary>"a,b,c": the columns, each after a prefix.</summary>
    public string Names(string prefix = "") => string.Join(',', Columns.Select(c => prefix + c.Name));
}
