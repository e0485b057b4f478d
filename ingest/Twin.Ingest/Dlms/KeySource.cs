using Twin.Hardware;
using Twin.Ingest.Blocks;
using Twin.Ingest.Feed;
using Twin.Ingest.Records;

namespace Twin.Ingest.Dlms;

/// <summary>
/// Keys on their way into a key file: CSV or NDJSON of <c>meter,slot,key</c>, readable by its owner only. Rejects show
/// file, line and reason, never the row.
/// </summary>
public static class KeySource
{
    private static readonly string[] Columns = ["meter", "slot", "key"];

    /// <summary>How many keys were set.</summary>
    /// <exception cref="KeyFileException">The file is open to others.</exception>
    /// <exception cref="FormatError">It is no file of keys.</exception>
    public static int Read(string path, KeyFile keys, Rejects rejects)
    {
        KeyFile.CheckMode(path);
        var count = 0;
        RecordFile.Read(path, rejects, Columns, Columns, Columns, row =>
        {
            var slot = row.Choice("slot", KeySlot.None);
            byte[] key;
            try
            {
                key = Convert.FromHexString(row["key"]);
            }
            catch (FormatException)
            {
                throw new RowFault("key", "is not hexadecimal");
            }
            if (System.Text.Encoding.UTF8.GetByteCount(row["meter"].Trim()) > MeterTable.MaxNameBytes)
                throw new RowFault("meter", $"is longer than {MeterTable.MaxNameBytes} bytes");
            try
            {
                keys.Set(row["meter"].Trim(), slot, key);
                count++;
            }
            catch (KeyFileException e)
            {
                throw new RowFault("slot", e.Message);
            }
        }, showsText: false);
        return count;
    }
}
