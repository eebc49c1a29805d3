namespace HpAsyncPs.Learning.Data;

/// <summary>How parts are cut out of a file of text.</summary>
public enum RowCut
{
    /// <summary>At random, by a hash of the row's number, for which all of the text is gone through.</summary>
    Rows,

    /// <summary>Pieces of as many bytes each, of which nothing else is read.</summary>
    Bytes,
}
