using System.Data.Common;
using System.Globalization;
using Twin.Grains.Cases;
using Twin.Grains.Ledger;
using Twin.Grains.Policies;
using Twin.Hardware;

namespace Twin.Silo.Storage;

// How cases and responses are found: two tables made of the ledger and of nothing else, written with its entries. They
// can be filled anew at any time, and are when a directory of an older format is opened.
public abstract partial class SqlJournal
{
    /// <summary>Rows that a database hands over at once while the tables are filled anew.</summary>
    private const int FillRows = 1_000;

    /// <summary>Writes what entries say into both tables; for one batch.</summary>
    private sealed class FindTables(SqlSession to)
    {
        private readonly Dictionary<TwinKey, (string Region, string Feeder)> _places = [];

        public void Take(LedgerEntry entry)
        {
            if (entry.Kind == LedgerKind.Report)
            {
                var context = Report.Read(entry.Body).Context;
                _places[entry.Case] = (context.Region, context.Feeder);
            }
            else if (entry.Kind == LedgerKind.Case) Take(CaseSnapshot.Read(entry.Body));
            else if (entry.Kind is LedgerKind.Response or LedgerKind.Order) Take(ResponseRecord.Read(entry.Body),
                entry);
        }

        private void Take(CaseSnapshot c)
        {
            var (region, feeder) = PlaceOf(c.Case);
            to.Insert(JournalTable.CaseFind, SqlValues.Signed(c.Case.Id), c.Number, c.ChangedAt.Seconds,
                c.AwareAt.Seconds, IsQueued(c) ? 1 : 0, (int)c.Desk, (int)c.Condition, (int)c.Handling,
                (int)c.Disposition, (int)c.Severity, (int)c.Subject.Kind, SqlValues.Signed(c.Subject.Id), region,
                    feeder,
                c.Assignee, "," + string.Concat(c.Findings.Select(f => $"{(int)f.Kind},")),
                $"{c.SubjectName} {c.Sentence}".ToLowerInvariant());
        }

        private void Take(ResponseRecord r, LedgerEntry entry)
        {
            if (r.IsUndo) return;
            to.Insert(JournalTable.Reply, SqlValues.Signed(r.Case.Id), r.Number, (int)r.State, WaitsForPeople(r) ? 1
                : 0,
                (int)r.Subject.Kind, SqlValues.Signed(r.Subject.Id), r.ProposedAt.Seconds, PlaceOf(r.Case).Region,
                entry.Body);
        }

        private (string Region, string Feeder) PlaceOf(TwinKey key)
        {
            if (_places.TryGetValue(key, out var place)) return place;
            return _places[key] = Stored("SELECT region, feeder FROM casefind WHERE id=@i ORDER BY number DESC LIMIT 1")
                ?? Stored("SELECT region, '' FROM reply WHERE id=@i ORDER BY number DESC LIMIT 1") ?? ("", "");

            (string, string)? Stored(string sql)
            {
                using var reader = to.Ready(sql, "@i").With(SqlValues.Signed(key.Id)).ExecuteReader();
                return reader.Read() ? (reader.GetString(0), reader.GetString(1)) : null;
            }
        }
    }

    internal static bool WaitsForPeople(ResponseRecord r) => r.State == ResponseState.Quarantined
        || r.State == ResponseState.Proposed && r.Approvals.Length < r.Needed;

    /// <summary>Fills both tables from the ledger when they are empty and it is not.</summary>
    internal static bool FillFindTables(SqlSession session)
    {
        if (session.Scalar("SELECT 1 FROM casefind LIMIT 1") is not null
            || session.Scalar("SELECT 1 FROM reply LIMIT 1") is not null
            || session.Scalar("SELECT 1 FROM ledger WHERE kind IN (3,4,5) LIMIT 1") is null) return false;
        var tables = new FindTables(session);
        using var rows = session.Stream(
            session.Prepare("SELECT body FROM ledger WHERE kind IN (1,3,4,5) ORDER BY number"), FillRows);
        while (rows.Read()) tables.Take(LedgerEntry.Read(rows.Blob(0)));
        return true;
    }

    /// <summary>Conditions with their values, as they are added one by one.</summary>
    private sealed class Conditions(SqlSession session)
    {
        private readonly List<string> _where = [], _names = [];
        private readonly List<object> _values = [];

        public void Add(string condition, params ReadOnlySpan<(string Name, object Value)> values)
        {
            _where.Add(condition);
            foreach (var (name, value) in values) Value(name, value);
        }

        public void Value(string name, object value)
        {
            _names.Add(name);
            _values.Add(value);
        }

        public void In(string column, string name, IReadOnlyList<string> texts)
        {
            if (texts.Count == 0) return;
            _where.Add($"lower({column}) IN ({string.Join(',', texts.Select((_, i) => $"{name}{i}"))})");
            for (var i = 0; i < texts.Count; i++) Value($"{name}{i}", texts[i].ToLowerInvariant());
        }

        public string Where => _where.Count > 0 ? " WHERE " + string.Join(" AND ", _where) : "";

        public DbCommand Prepare(string sql) => session.Prepare(sql, [.. _names]).With([.. _values]);
    }

    private static Conditions Of(SqlSession session, CaseQuery query)
    {
        var all = new Conditions(session);
        if (!query.All) all.Add("queued=1");
        if (query.Desk is { } desk) all.Add("desk=@d", ("@d", (int)desk));
        if (query.Condition is { } condition) all.Add("state=@c", ("@c", (int)condition));
        if (query.Handling is { } handling) all.Add("handling=@h", ("@h", (int)handling));
        if (query.Disposition is { } disposition) all.Add("disposition=@p", ("@p", (int)disposition));
        if (query.AtLeast is { } severity) all.Add("severity>=@v", ("@v", (int)severity));
        if (query.Assignee is { } assignee) all.Add("assignee=@a", ("@a", assignee));
        if (query.Feeder is { } feeder) all.Add("feeder=@f", ("@f", feeder));
        if (query.Kind is { } kind)
            all.Add(session.Holds("kinds", "@k"),
                ("@k", string.Create(CultureInfo.InvariantCulture, $",{(int)kind},")));
        if (query.Text is { } text) all.Add(session.Holds("words", "@t"), ("@t", text.ToLowerInvariant()));
        if (query.Subject is { } subject)
            all.Add("subject=@s AND subject_kind=@sk", ("@s", SqlValues.Signed(subject.Id)),
                ("@sk", (int)subject.Kind));
        if (query.One is var (key, number))
        {
            all.Add("id=@one", ("@one", SqlValues.Signed(key.Id)));
            if (number != 0) all.Add("number=@number", ("@number", number));
        }
        all.In("region", "@r", query.Regions);
        return all;
    }

    private const string BehindId = "(id>@ai OR id=@ai AND number>@an)";

    private static void GoOn(Conditions to, CaseOrder order, CasePlace place)
    {
        to.Add(order switch
        {
            CaseOrder.Severity => "severity<=@av AND (severity<@av OR changed_s<@as OR changed_s=@as AND "
                + BehindId + ")",
            CaseOrder.Opened => $"opened_s<=@as AND (opened_s<@as OR {BehindId})",
            _ => $"changed_s<=@as AND (changed_s<@as OR {BehindId})",
        }, ("@as", place.Seconds), ("@ai", SqlValues.Signed(place.Id)), ("@an", place.Number));
        if (order == CaseOrder.Severity) to.Value("@av", place.Severity);
    }

    public IReadOnlyList<ListedCase> Find(CaseQuery query) => Find(query, withResponses: true);

    private List<ListedCase> Find(CaseQuery query, bool withResponses) => Reading(session =>
    {
        var where = Of(session, query);
        if (query.After is { } place) GoOn(where, query.Order, place);
        var order = query.Order switch
        {
            _ when query.One is not null => "number DESC",
            CaseOrder.Severity => "severity DESC, changed_s DESC, id, number",
            CaseOrder.Opened => "opened_s DESC, id, number",
            _ => "changed_s DESC, id, number",
        };
        where.Value("@limit", Math.Clamp(query.Limit, 0, MaxRows));
        var rows = new List<(long Id, int Number, string Region, string Feeder)>();
        using (var select = where.Prepare("SELECT id, number, region, feeder FROM casefind"
            + $"{where.Where} ORDER BY {order} "
            + "LIMIT @limit"))
        using (var reader = select.ExecuteReader())
            while (reader.Read())
                rows.Add((reader.GetInt64(0), reader.GetInt32(1), reader.GetString(2), reader.GetString(3)));
        return rows.ConvertAll(r => new ListedCase(BodyOf(session, r.Id, r.Number), r.Region, r.Feeder,
            withResponses ? RepliesOf(session, r.Id) : []));
    });

    /// <exception cref="InvalidDataException">Somebody has taken it out.</exception>
    private static CaseSnapshot BodyOf(SqlSession session, long id, int number) => CaseSnapshot.Read(
        session.Ready("SELECT body FROM casefile WHERE id=@i AND number=@n", "@i", "@n").With(id, number)
            .ExecuteScalar() as byte[] ?? throw new InvalidDataException(
                $"A case is to be found and is not there ({id}, {number}); 'metertwin verify' tells what else is."));

    /// <summary>Of a case, the newest that it holds.</summary>
    private static List<ResponseRecord> RepliesOf(SqlSession session, long id)
    {
        using var reader = session.Ready("SELECT body FROM reply WHERE id=@i ORDER BY number DESC LIMIT 100", "@i")
            .With(id).ExecuteReader();
        var found = new List<ResponseRecord>();
        while (reader.Read()) found.Add(ResponseRecord.Read(reader.Blob(0)));
        found.Reverse();
        return found;
    }

    public int? Count(CaseQuery query, int most) => Once(session =>
    {
        var where = Of(session, query);
        where.Value("@most", most + 1);
        using var select = where.Prepare(
            $"SELECT count(*) FROM (SELECT 1 AS one FROM casefind{where.Where} LIMIT @most) AS found");
        var n = (long)select.ExecuteScalar()!;
        return n > most ? (int?)null : (int)n;
    });

    public IReadOnlyList<CaseSnapshot> CasesAsOf(UnixTime at, int limit) => Reading(session =>
    {
        using var select = session.Prepare("SELECT body FROM ledger WHERE number IN (SELECT max(number) FROM ledger "
            + "WHERE kind=3 AND at_s<=@a GROUP BY case_id) ORDER BY at_s DESC, number DESC LIMIT @n", "@a", "@n")
            .With(at.Seconds, limit);
        using var reader = select.ExecuteReader();
        var found = new List<CaseSnapshot>();
        while (reader.Read()) found.Add(CaseSnapshot.Read(LedgerEntry.Read(reader.Blob(0)).Body));
        return found;
    });

    public IReadOnlyList<ListedResponse> Responses(ResponseQuery query) => Reading(session =>
    {
        var where = new Conditions(session);
        if (query.Waiting) where.Add("waits=1");
        if (query.State is { } state) where.Add("state=@st", ("@st", (int)state));
        if (query.Case is { } key) where.Add("id=@c", ("@c", SqlValues.Signed(key.Id)));
        if (query.Subject is { } subject)
            where.Add("subject=@s AND subject_kind=@sk", ("@s", SqlValues.Signed(subject.Id)),
                ("@sk", (int)subject.Kind));
        where.In("region", "@r", query.Regions);
        if (query.After is var (seconds, id, number))
            where.Add($"proposed_s<=@as AND (proposed_s<@as OR {BehindId})", ("@as", seconds),
                ("@ai", SqlValues.Signed(id)), ("@an", number));
        where.Value("@limit", Math.Clamp(query.Limit, 0, MaxRows));
        using var select = where.Prepare($"SELECT body, region FROM reply{where.Where} ORDER BY proposed_s DESC, id, "
            + "number LIMIT @limit");
        using var reader = select.ExecuteReader();
        var found = new List<ListedResponse>();
        while (reader.Read()) found.Add(new ListedResponse(ResponseRecord.Read(reader.Blob(0)), reader.GetString(1)));
        return found;
    });
}
